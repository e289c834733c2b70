// Apiserver is the API server of Kubernetes and, as `apiserver controllers KUBECONFIG`, those of
// its controllers that roll out deployments and stateful sets. There is no kubelet: pods run when
// somebody says so.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

func controllers(kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	shared := informers.NewSharedInformerFactory(client, time.Minute)
	apps, core := shared.Apps().V1(), shared.Core().V1()
	deployments, err := deployment.NewDeploymentController(
		ctx, apps.Deployments(), apps.ReplicaSets(), core.Pods(), client)
	if err != nil {
		return err
	}
	replicas := replicaset.NewReplicaSetController(ctx, apps.ReplicaSets(), core.Pods(), client, 10)
	stateful := statefulset.NewStatefulSetController(
		ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(),
		apps.ControllerRevisions(), client)
	shared.Start(ctx.Done())
	go deployments.Run(ctx, 2)
	go replicas.Run(ctx, 2)
	stateful.Run(ctx, 2)
	return nil
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "controllers" {
		log.Fatal(controllers(os.Args[2]))
	}
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
