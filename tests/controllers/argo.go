package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/argoproj/argo-rollouts/analysis"
	"github.com/argoproj/argo-rollouts/controller/metrics"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned"
	argofake "github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned/fake"
	argoinformers "github.com/argoproj/argo-rollouts/pkg/client/informers/externalversions"
	argolisters "github.com/argoproj/argo-rollouts/pkg/client/listers/rollouts/v1alpha1"
	analysisutil "github.com/argoproj/argo-rollouts/utils/analysis"
	"github.com/argoproj/argo-rollouts/utils/record"
	log "github.com/sirupsen/logrus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
)

// argoSpec is what the test asks of Argo; all runs go on side by side in one controller.
type argoSpec struct {
	Deploy  string    // the folder deploy/argo
	Token   string    // goes into the Secret that the templates name
	Speed   float64   // Argo's seconds in one of the wall's
	Seconds float64   // of the wall, until the whole thing is given up
	Runs    []argoRun // each with a name of its own
}

// argoRun is one AnalysisRun, as a shipped Rollout would start it.
type argoRun struct {
	Name       string
	Rollout    string            // file of the Rollout
	Use        string            // background, step:1, pre-promotion, post-promotion
	CanaryHash string            // of the pods of the new ReplicaSet
	StableHash string            //
	Args       map[string]string // in place of the Rollout's or the template's own
	// TimeoutSeconds replaces the template's, so that a test of time-outs is not one of patience.
	TimeoutSeconds int64
}

// measured is printed for every measurement that a run takes, ended for its end.
type measured struct {
	Event   string `json:"event"`
	Run     string `json:"run"`
	Phase   string `json:"phase"`
	Value   string `json:"value"`
	Message string `json:"message"`
}

type ended struct {
	Event        string `json:"event"`
	Run          string `json:"run"`
	Phase        string `json:"phase"`
	Message      string `json:"message"`
	Count        int32  `json:"count"`
	Successful   int32  `json:"successful"`
	Failed       int32  `json:"failed"`
	Inconclusive int32  `json:"inconclusive"`
	Error        int32  `json:"error"`
	Seconds      int64  `json:"seconds"` // of Argo's clock
}

func argo(input io.Reader) error {
	var spec argoSpec
	commands := json.NewDecoder(input)
	commands.DisallowUnknownFields()
	if err := commands.Decode(&spec); err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	all, err := loadShipped(spec.Deploy)
	if err != nil {
		return err
	}
	log.SetOutput(io.Discard)
	runs, err := all.analysisRuns(spec.Runs)
	if err != nil {
		return err
	}
	limit := time.Duration(spec.Seconds * float64(time.Second))
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	return analyse(ctx, spec, runs, commands)
}

// analysisRuns builds them as the rollout controller does: arguments from the Rollout and its two
// ReplicaSets, templates flattened and arguments merged, all by Argo's functions.
func (s *shipped) analysisRuns(asked []argoRun) ([]*v1alpha1.AnalysisRun, error) {
	var runs []*v1alpha1.AnalysisRun
	for _, ask := range asked {
		run, err := s.analysisRun(ask)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ask.Name, err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func (s *shipped) analysisRun(ask argoRun) (*v1alpha1.AnalysisRun, error) {
	rollout, known := s.rollouts[ask.Rollout]
	if !known {
		return nil, fmt.Errorf("no rollout in a file %q", ask.Rollout)
	}
	place, err := findUse(rollout, ask.Use)
	if err != nil {
		return nil, err
	}
	templates, err := s.named(place.templates)
	if err != nil {
		return nil, err
	}
	own := append([]v1alpha1.AnalysisRunArgument{}, place.args...)
	for name, value := range ask.Args {
		own = withArg(own, name, value)
	}
	args, err := analysisutil.BuildArgumentsForRolloutAnalysisRun(
		own, replicaSet(ask.StableHash), replicaSet(ask.CanaryHash), rollout)
	if err != nil {
		return nil, err
	}
	run, err := analysisutil.NewAnalysisRunFromTemplates(
		templates, nil, args, nil, nil, nil, nil, ask.Name, "", rollout.Namespace)
	if err == nil && ask.TimeoutSeconds > 0 {
		run = run.DeepCopy()
		run.Spec.Metrics[0].Provider.Web.TimeoutSeconds = ask.TimeoutSeconds
	}
	return run, err
}

func findUse(rollout *v1alpha1.Rollout, name string) (use, error) {
	for _, place := range uses(rollout) {
		if place.name == name {
			return place, nil
		}
	}
	return use{}, fmt.Errorf("%s has no analysis %q", rollout.Name, name)
}

func withArg(args []v1alpha1.AnalysisRunArgument, name, value string) []v1alpha1.AnalysisRunArgument {
	for index := range args {
		if args[index].Name == name {
			args[index] = v1alpha1.AnalysisRunArgument{Name: name, Value: value}
			return args
		}
	}
	return append(args, v1alpha1.AnalysisRunArgument{Name: name, Value: value})
}

func replicaSet(hash string) *appsv1.ReplicaSet {
	labels := map[string]string{v1alpha1.DefaultRolloutUniqueLabelKey: hash}
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Labels: labels}}
}

// analyse runs Argo's analysis controller until every run has ended. Only the cluster is missing:
// its objects are in memory, and the clock is fast.
func analyse(ctx context.Context, spec argoSpec, runs []*v1alpha1.AnalysisRun, commands *json.Decoder) error {
	fastForward(spec.Speed)
	namespace := runs[0].Namespace
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "serinus", Namespace: namespace},
		Data:       map[string][]byte{"token": []byte(spec.Token)},
	}
	kube, client := kubefake.NewSimpleClientset(secret), argofake.NewSimpleClientset()
	kubeInformers := informers.NewSharedInformerFactory(kube, 0)
	argo := argoinformers.NewSharedInformerFactory(client, 0).Argoproj().V1alpha1()
	lister := metrics.NewMetricsServer(metrics.ServerConfig{
		AnalysisRunLister:             argo.AnalysisRuns().Lister(),
		AnalysisTemplateLister:        argo.AnalysisTemplates().Lister(),
		ClusterAnalysisTemplateLister: argo.ClusterAnalysisTemplates().Lister(),
		K8SRequestProvider:            &metrics.K8sRequestsCountProvider{},
	})
	queue := newFastQueue(spec.Speed, func(key string) bool {
		return isCached(ctx, client, argo.AnalysisRuns().Lister(), key)
	})
	defer queue.ShutDown()
	controller := analysis.NewController(analysis.ControllerConfig{
		KubeClientSet:        kube,
		ArgoProjClientset:    client,
		AnalysisRunInformer:  argo.AnalysisRuns(),
		JobInformer:          kubeInformers.Batch().V1().Jobs(),
		JobPodsInformer:      kubeInformers.Core().V1().Pods(),
		AnalysisRunWorkQueue: queue,
		MetricsServer:        lister,
		Recorder:             record.NewFakeEventRecorder(),
	})
	informer := argo.AnalysisRuns().Informer()
	watch := newWatch(len(runs))
	if _, err := informer.AddEventHandler(watch); err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return ctx.Err()
	}
	for _, run := range runs {
		if _, err := client.ArgoprojV1alpha1().AnalysisRuns(namespace).Create(ctx, run, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	// A worker for each run: one that waits for a time-out must not hold the others.
	go func() { _ = controller.Run(ctx, len(runs)) }()
	go obey(commands, client, namespace)
	select {
	case <-watch.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("after %.0f s not every run has ended", spec.Seconds)
	}
}

// isCached tells whether the informer has seen the last status that was written.
func isCached(ctx context.Context, client versioned.Interface, lister argolisters.AnalysisRunLister, key string) bool {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return true
	}
	written, err := client.ArgoprojV1alpha1().AnalysisRuns(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return true
	}
	cached, err := lister.AnalysisRuns(namespace).Get(name)
	return err == nil && equality.Semantic.DeepEqual(written.Status, cached.Status)
}

// obey reads {"terminate": NAME} from standard input and ends that run early, as a Rollout does
// that was promoted or moved past the step.
func obey(commands *json.Decoder, client versioned.Interface, namespace string) {
	for {
		var command struct{ Terminate string }
		if commands.Decode(&command) != nil {
			return
		}
		runs := client.ArgoprojV1alpha1().AnalysisRuns(namespace)
		if err := analysisutil.TerminateRun(runs, command.Terminate); err != nil {
			tell(map[string]string{"event": "refused", "message": err.Error()})
		}
	}
}

// watch prints measurements and ends as the controller writes them.
type watch struct {
	running int
	taken   map[string]int
	over    map[string]bool
	done    chan struct{}
}

func newWatch(running int) *watch {
	return &watch{running, map[string]int{}, map[string]bool{}, make(chan struct{})}
}

func (w *watch) OnAdd(any, bool) {}

func (w *watch) OnDelete(any) {}

// OnUpdate is called for one change after the other.
func (w *watch) OnUpdate(_, changed any) {
	run, isRun := changed.(*v1alpha1.AnalysisRun)
	if !isRun || w.over[run.Name] || len(run.Status.MetricResults) == 0 {
		return
	}
	result := run.Status.MetricResults[0]
	w.tellMeasurement(run, result)
	if !run.Status.Phase.Completed() {
		return
	}
	w.over[run.Name] = true
	var lasted time.Duration
	if run.Status.StartedAt != nil && run.Status.CompletedAt != nil {
		lasted = run.Status.CompletedAt.Sub(run.Status.StartedAt.Time)
	}
	tell(ended{
		"ended", run.Name, string(run.Status.Phase), run.Status.Message, result.Count,
		result.Successful, result.Failed, result.Inconclusive, result.Error, int64(lasted.Seconds()),
	})
	if w.running--; w.running == 0 {
		close(w.done)
	}
}

func (w *watch) tellMeasurement(run *v1alpha1.AnalysisRun, result v1alpha1.MetricResult) {
	// Argo keeps the last ten measurements only, so the counters tell whether there is a new one.
	taken := int(result.Count + result.Error)
	if len(result.Measurements) == 0 || taken == w.taken[run.Name] {
		return
	}
	w.taken[run.Name] = taken
	last := result.Measurements[len(result.Measurements)-1]
	tell(measured{"measured", run.Name, string(last.Phase), last.Value, last.Message})
}
