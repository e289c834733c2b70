// One of its modules registers paths as Go 1.21 took them.
//
//go:debug httpmuxgo121=1

// The log part of Grafana Agent's static mode, by a file of its own format.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kit/log"
	"github.com/grafana/agent/static/logs"
	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/yaml.v2"
)

func main() {
	logger := log.NewLogfmtLogger(log.NewSyncWriter(os.Stderr))
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var config logs.Config
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		panic(err)
	}
	if err := config.ApplyDefaults(); err != nil {
		panic(err)
	}
	agent, err := logs.New(prometheus.NewRegistry(), &config, logger, false)
	if err != nil {
		panic(err)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	<-ended
	agent.Stop()
}
