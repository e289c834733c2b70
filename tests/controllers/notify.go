package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/argoproj/argo-rollouts/utils/record"
	"github.com/argoproj/notifications-engine/pkg/api"
	"github.com/argoproj/notifications-engine/pkg/services"
	corev1 "k8s.io/api/core/v1"
)

// notifySpec says which shipped ConfigMap is used, to where it sends, and what happened to which object.
type notifySpec struct {
	Config  string
	URL     string
	Token   string
	Trigger string
	Object  map[string]any
}

// notify sends what a trigger sends for an object, with the engine of Argo Rollouts and Argo CD.
func notify(input io.Reader) error {
	var spec notifySpec
	if err := json.NewDecoder(input).Decode(&spec); err != nil {
		return err
	}
	var config corev1.ConfigMap
	if err := loadStrictly(spec.Config, &config); err != nil {
		return err
	}
	secret := &corev1.Secret{Data: map[string][]byte{"serinus-token": []byte(spec.Token)}}
	parsed, err := api.ParseConfig(redirected(&config, spec.URL), secret)
	if err != nil {
		return err
	}
	vars, err := varsOf(&config, parsed, secret)
	if err != nil {
		return err
	}
	engine, err := api.NewAPI(*parsed, vars)
	if err != nil {
		return err
	}
	for _, destination := range parsed.GetGlobalDestinations(nil)[spec.Trigger] {
		if err := sent(engine, spec, destination); err != nil {
			return err
		}
	}
	return nil
}

// redirected is the ConfigMap with the address of the running serinus in place of the cluster's.
func redirected(config *corev1.ConfigMap, url string) *corev1.ConfigMap {
	changed := config.DeepCopy()
	for key, value := range changed.Data {
		changed.Data[key] = strings.ReplaceAll(value, "http://serinus.serinus:8080", url)
	}
	return changed
}

// varsOf is what templates see: for Rollouts by Argo's own code, for Argo CD the application.
func varsOf(config *corev1.ConfigMap, parsed *api.Config, secret *corev1.Secret) (api.GetVars, error) {
	if config.Name == record.NotificationConfigMap {
		return record.NewAPIFactorySettings(nil).InitGetVars(parsed, config, secret)
	}
	return func(object map[string]any, _ services.Destination) map[string]any {
		return map[string]any{"app": object}
	}, nil
}

func sent(engine api.API, spec notifySpec, destination services.Destination) error {
	results, err := engine.RunTrigger(spec.Trigger, spec.Object)
	if err != nil {
		return err
	}
	for place, result := range results {
		// Argo Rollouts sends what has no condition, whether or not that counts as triggered.
		if !result.Triggered && engine.GetConfig().Triggers[spec.Trigger][place].When != "" {
			continue
		}
		if err := engine.Send(spec.Object, result.Templates, destination); err != nil {
			return fmt.Errorf("%v: %w", result.Templates, err)
		}
		tell(map[string]any{"sent": result.Templates})
	}
	return nil
}
