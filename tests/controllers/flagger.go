package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	_ "unsafe" // for go:linkname

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/canary"
	"github.com/fluxcd/flagger/pkg/client/clientset/versioned"
	flaggerfake "github.com/fluxcd/flagger/pkg/client/clientset/versioned/fake"
	flaggerinformers "github.com/fluxcd/flagger/pkg/client/informers/externalversions"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/fluxcd/flagger/pkg/metrics/observers"
	"github.com/fluxcd/flagger/pkg/notifier"
	"github.com/fluxcd/flagger/pkg/router"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	kubefake "k8s.io/client-go/kubernetes/fake"
)

// advanceCanary is one tick of Flagger's scheduler, which it runs each `analysis.interval` and
// never more often than every ten seconds. Linked by name, so that the test sets the rhythm.
//
//go:linkname advanceCanary github.com/fluxcd/flagger/pkg/controller.(*Controller).advanceCanary
func advanceCanary(c *controller.Controller, name string, namespace string)

// flaggerSpec is what the test asks of Flagger.
type flaggerSpec struct {
	Canary string // file of the Canary
	URL    string // base address in place of the one in the file
	Token  string // in place of the one in the file
	Image  string // of the new revision; the same image again is the same checksum
	Weight int    // stop when the canary has this much traffic
	Ticks  int    // at first; more by {"ticks": N} on standard input
	Hooks  []hook // or only call these, without a rollout
	// Metadata is added to that of every hook.
	Metadata map[string]string
	// Timeout replaces the Canary's, so that a test of time-outs is not one of patience.
	Timeout string
	Retries *int
}

// hook is one call by Flagger's own caller.
type hook struct {
	Type  string
	Phase string
}

type called struct {
	Event string `json:"event"`
	Type  string `json:"type"`
	Yes   bool   `json:"yes"` // Flagger took the answer for a yes
	Error string `json:"error"`
}

type ticked struct {
	Event        string `json:"event"`
	Tick         int    `json:"tick"`
	Phase        string `json:"phase"`
	Weight       int    `json:"weight"`
	FailedChecks int    `json:"failed_checks"`
	// Shown are the weights that Flagger's own metrics endpoint would expose now, by series.
	Shown map[string]float64 `json:"shown"`
}

func flagger(input io.Reader) error {
	var spec flaggerSpec
	decoder := json.NewDecoder(input)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&spec); err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	resource := &flaggerv1.Canary{}
	if err := loadStrictly(spec.Canary, resource); err != nil {
		return err
	}
	if err := spec.fill(resource); err != nil {
		return err
	}
	if len(spec.Hooks) > 0 {
		return call(spec.Hooks, resource)
	}
	return progress(spec, resource, decoder)
}

// fill puts the test's address and token in place of those in the file.
func (s flaggerSpec) fill(resource *flaggerv1.Canary) error {
	hooks := resource.Spec.Analysis.Webhooks
	for index := range hooks {
		path, err := pathOf(hooks[index].URL)
		if err != nil {
			return err
		}
		hooks[index].URL = s.URL + path
		if hooks[index].Metadata != nil {
			(*hooks[index].Metadata)["token"] = s.Token
			maps.Copy(*hooks[index].Metadata, s.Metadata)
		}
		if s.Timeout != "" {
			hooks[index].Timeout = s.Timeout
		}
		if s.Retries != nil {
			hooks[index].Retries = *s.Retries
		}
	}
	return nil
}

// call lets Flagger's webhook caller ask, one hook of the Canary after the other.
func call(hooks []hook, resource *flaggerv1.Canary) error {
	for _, asked := range hooks {
		for _, webhook := range resource.Spec.Analysis.Webhooks {
			if string(webhook.Type) != asked.Type {
				continue
			}
			var err error
			if webhook.Type == flaggerv1.EventHook {
				err = controller.CallEventWebhook(resource, webhook, "a test's event", corev1.EventTypeNormal)
			} else {
				err = controller.CallWebhook(*resource, flaggerv1.CanaryPhase(asked.Phase), webhook)
			}
			tell(called{"called", asked.Type, err == nil, fmt.Sprint(err)})
		}
	}
	return nil
}

// progress ticks Flagger's controller from a new revision on, until a weight or an end is reached
// or nobody asks for more.
func progress(spec flaggerSpec, resource *flaggerv1.Canary, commands *json.Decoder) error {
	kube := kubefake.NewSimpleClientset(deployment(resource, "registry.example.com/shop/checkout:old"))
	client := flaggerfake.NewSimpleClientset(resource)
	ctrl := newFlagger(kube, client)
	for tick := range 2 { // the first makes the primary, the second finds it ready
		advanceCanary(ctrl, resource.Name, resource.Namespace)
		if err := becomeReady(kube, resource); err != nil {
			return fmt.Errorf("tick %d of the installation: %w", tick, err)
		}
	}
	if err := setImage(kube, resource, spec.Image); err != nil {
		return err
	}
	more := struct{ Ticks int }{spec.Ticks}
	for taken := 0; ; {
		for range more.Ticks {
			status, err := tick(ctrl, kube, client, resource)
			if err != nil {
				return err
			}
			shown, err := weights()
			if err != nil {
				return err
			}
			tell(ticked{
				"ticked", taken, string(status.Phase), status.CanaryWeight, status.FailedChecks, shown,
			})
			if taken++; isOver(status, spec.Weight) {
				return nil
			}
		}
		if commands.Decode(&more) != nil {
			return nil
		}
	}
}

func tick(
	ctrl *controller.Controller, kube kubernetes.Interface, client versioned.Interface, resource *flaggerv1.Canary,
) (flaggerv1.CanaryStatus, error) {
	if err := becomeReady(kube, resource); err != nil {
		return flaggerv1.CanaryStatus{}, err
	}
	advanceCanary(ctrl, resource.Name, resource.Namespace)
	now, err := client.FlaggerV1beta1().Canaries(resource.Namespace).Get(
		context.Background(), resource.Name, metav1.GetOptions{})
	if err != nil {
		return flaggerv1.CanaryStatus{}, err
	}
	return now.Status, nil
}

// weights gathers what Flagger's recorder registered, as a scrape of it would.
func weights() (map[string]float64, error) {
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		return nil, err
	}
	shown := map[string]float64{}
	for _, family := range families {
		if !strings.HasSuffix(family.GetName(), "_weight") {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
			series := fmt.Sprintf("%s{%s}", family.GetName(), strings.Join(labels, ","))
			shown[series] = metric.GetGauge().GetValue()
		}
	}
	return shown, nil
}

func isOver(status flaggerv1.CanaryStatus, weight int) bool {
	return status.Phase == flaggerv1.CanaryPhaseFailed || status.Phase == flaggerv1.CanaryPhaseSucceeded ||
		(weight > 0 && status.CanaryWeight >= weight)
}

// newFlagger builds the controller as Flagger's main does, on objects in memory and Istio's routes.
func newFlagger(kube kubernetes.Interface, client versioned.Interface) *controller.Controller {
	logger := zap.Must(zap.NewProduction()).Sugar() // to standard error
	tracker := &canary.ConfigTracker{Logger: logger, KubeClient: kube, FlaggerClient: client}
	watched := flaggerinformers.NewSharedInformerFactory(client, 0).Flagger().V1beta1()
	observer, _ := observers.NewFactory("http://127.0.0.1:9")
	return controller.NewController(
		kube, nil, client,
		controller.Informers{
			CanaryInformer: watched.Canaries(),
			MetricInformer: watched.MetricTemplates(),
			AlertInformer:  watched.AlertProviders(),
		},
		0, logger, &notifier.NopNotifier{},
		canary.NewFactory(kube, client, nil, tracker, []string{"app"}, []string{""}, logger),
		router.NewFactory(nil, kube, client, nil, "", "", logger, client, true),
		observer, flaggerv1.IstioProvider, "test", "", "", false, nil,
	)
}

func deployment(resource *flaggerv1.Canary, image string) *appsv1.Deployment {
	labels := map[string]string{"app": resource.Name}
	container := corev1.Container{
		Name:  resource.Name,
		Image: image,
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: resource.Spec.TargetRef.Name, Namespace: resource.Namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{container}},
			},
		},
	}
}

// becomeReady does what kubelets would: every pod that is asked for runs.
func becomeReady(kube kubernetes.Interface, resource *flaggerv1.Canary) error {
	deployments := kube.AppsV1().Deployments(resource.Namespace)
	all, err := deployments.List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, one := range all.Items {
		one.Status = appsv1.DeploymentStatus{
			ObservedGeneration: one.Generation,
			Replicas:           1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
		}
		if _, err := deployments.Update(context.Background(), &one, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// setImage is a deploy: Flagger sees that the target's pod template is another one.
func setImage(kube kubernetes.Interface, resource *flaggerv1.Canary, image string) error {
	deployments := kube.AppsV1().Deployments(resource.Namespace)
	target, err := deployments.Get(context.Background(), resource.Spec.TargetRef.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	target.Spec.Template.Spec.Containers[0].Image = image
	_, err = deployments.Update(context.Background(), target, metav1.UpdateOptions{})
	return err
}
