package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
)

// check loads every manifest with its controller's types and says what the controller would refuse.
func check(deploy string) error {
	all, err := loadShipped(filepath.Join(deploy, "argo"))
	if err != nil {
		return err
	}
	if err := all.validate(); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(deploy, "flagger", "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no manifests for Flagger (%w)", err)
	}
	for _, file := range files {
		if err := checkCanary(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for name := range all.templates {
		tell(map[string]string{"event": "checked", "name": name})
	}
	return nil
}

// checkCanary refuses what Flagger would silently replace by a default.
func checkCanary(file string) error {
	resource := &flaggerv1.Canary{}
	if err := loadStrictly(file, resource); err != nil {
		return err
	}
	if _, err := time.ParseDuration(resource.Spec.Analysis.Interval); err != nil {
		return err
	}
	for _, webhook := range resource.Spec.Analysis.Webhooks {
		if webhook.Type == "" {
			return fmt.Errorf("webhook %s: without a type it is a rollout hook", webhook.Name)
		}
		if _, err := pathOf(webhook.URL); err != nil {
			return err
		}
	}
	return nil
}

func pathOf(address string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return parsed.Path, nil
}
