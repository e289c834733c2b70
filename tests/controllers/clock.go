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
	speed float64
}

func newFastQueue(speed float64) *fastQueue {
	limiter := workqueue.DefaultTypedControllerRateLimiter[any]()
	return &fastQueue{workqueue.NewTypedRateLimitingQueue(limiter), speed}
}

func (q *fastQueue) AddAfter(item any, after time.Duration) {
	q.TypedRateLimitingInterface.AddAfter(item, time.Duration(float64(after)/q.speed))
}
