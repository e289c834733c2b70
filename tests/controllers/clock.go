package main

import (
	"time"

	timeutil "github.com/argoproj/argo-rollouts/utils/time"
	"k8s.io/client-go/util/workqueue"
)

// fastForward makes Argo's clock run `speed` times as fast as the wall's, so that an hour of
// AnalysisRun takes seconds while its intervals, counts and limits stay those of the templates.
func fastForward(speed float64) {
	begin := time.Now()
	timeutil.SetNowTimeFunc(func() time.Time {
		return begin.Add(time.Duration(float64(time.Since(begin)) * speed))
	})
}

// fastQueue is Argo's work queue on that clock: what is due after d comes after d/speed.
type fastQueue struct {
	workqueue.TypedRateLimitingInterface[any]
	speed   float64
	settled func(key string) bool
}

func newFastQueue(speed float64, settled func(key string) bool) *fastQueue {
	limiter := workqueue.DefaultTypedControllerRateLimiter[any]()
	return &fastQueue{workqueue.NewTypedRateLimitingQueue(limiter), speed, settled}
}

// Get waits until the controller's cache holds what it wrote last. With the wall's clock ten
// seconds lie between two measurements; here a cache that lags behind would repeat the last one.
func (q *fastQueue) Get() (any, bool) {
	item, isOver := q.TypedRateLimitingInterface.Get()
	key, isKey := item.(string)
	for end := time.Now().Add(5 * time.Second); isKey && !q.settled(key) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return item, isOver
}

func (q *fastQueue) AddAfter(item any, after time.Duration) {
	q.TypedRateLimitingInterface.AddAfter(item, time.Duration(float64(after)/q.speed))
}
