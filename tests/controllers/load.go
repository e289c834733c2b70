package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/validation"
	analysisutil "github.com/argoproj/argo-rollouts/utils/analysis"
	"sigs.k8s.io/yaml"
)

// shipped is what deploy/argo holds, by name and by file.
type shipped struct {
	templates map[string]*v1alpha1.AnalysisTemplate
	rollouts  map[string]*v1alpha1.Rollout
}

// use is one place of a Rollout that starts an analysis.
type use struct {
	name      string
	templates []v1alpha1.AnalysisTemplateRef
	args      []v1alpha1.AnalysisRunArgument
	kind      validation.AnalysisTemplateType
	step      int
}

// loadStrictly decodes a manifest and refuses a field that the controller's type does not have.
func loadStrictly(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func loadShipped(folder string) (*shipped, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	all := &shipped{map[string]*v1alpha1.AnalysisTemplate{}, map[string]*v1alpha1.Rollout{}}
	for _, path := range paths {
		if err := all.load(path); err != nil {
			return nil, err
		}
	}
	if len(all.templates) == 0 || len(all.rollouts) == 0 {
		return nil, fmt.Errorf("%s: %d templates and %d rollouts", folder, len(all.templates), len(all.rollouts))
	}
	return all, nil
}

func (s *shipped) load(path string) error {
	var head struct{ Kind string }
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch head.Kind {
	case "AnalysisTemplate":
		template := &v1alpha1.AnalysisTemplate{}
		err := loadStrictly(path, template)
		s.templates[template.Name] = template
		return err
	case "Rollout":
		rollout := &v1alpha1.Rollout{}
		s.rollouts[filepath.Base(path)] = rollout
		return loadStrictly(path, rollout)
	default:
		return fmt.Errorf("%s: nobody loads a %q", path, head.Kind)
	}
}

// uses lists where a Rollout analyses: background, before and after promotion, each step.
func uses(rollout *v1alpha1.Rollout) []use {
	var found []use
	add := func(name string, kind validation.AnalysisTemplateType, step int, a *v1alpha1.RolloutAnalysis) {
		if a != nil {
			found = append(found, use{name, a.Templates, a.Args, kind, step})
		}
	}
	if canary := rollout.Spec.Strategy.Canary; canary != nil {
		if canary.Analysis != nil {
			add("background", validation.BackgroundAnalysis, 0, &canary.Analysis.RolloutAnalysis)
		}
		for index := range canary.Steps {
			add(fmt.Sprintf("step:%d", index), validation.InlineAnalysis, index, canary.Steps[index].Analysis)
		}
	}
	if blueGreen := rollout.Spec.Strategy.BlueGreen; blueGreen != nil {
		add("pre-promotion", validation.PrePromotionAnalysis, 0, blueGreen.PrePromotionAnalysis)
		add("post-promotion", validation.PostPromotionAnalysis, 0, blueGreen.PostPromotionAnalysis)
	}
	return found
}

func (s *shipped) named(refs []v1alpha1.AnalysisTemplateRef) ([]*v1alpha1.AnalysisTemplate, error) {
	var found []*v1alpha1.AnalysisTemplate
	for _, ref := range refs {
		template, known := s.templates[ref.TemplateName]
		if !known {
			return nil, fmt.Errorf("no template is called %q", ref.TemplateName)
		}
		found = append(found, template)
	}
	return found, nil
}

// validate applies the rules by which Argo refuses a template or a Rollout.
func (s *shipped) validate() error {
	var problems []error
	for name, template := range s.templates {
		if err := analysisutil.ValidateMetrics(template.Spec.Metrics); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	for file, rollout := range s.rollouts {
		for _, problem := range validation.ValidateRollout(rollout) {
			problems = append(problems, fmt.Errorf("%s: %w", file, problem))
		}
		for _, place := range uses(rollout) {
			problems = append(problems, s.validateUse(file, rollout, place)...)
		}
	}
	return errors.Join(problems...)
}

func (s *shipped) validateUse(file string, rollout *v1alpha1.Rollout, place use) []error {
	templates, err := s.named(place.templates)
	if err != nil {
		return []error{fmt.Errorf("%s %s: %w", file, place.name, err)}
	}
	var problems []error
	for _, problem := range validation.ValidateAnalysisTemplatesWithType(rollout, validation.AnalysisTemplatesWithType{
		AnalysisTemplates: templates,
		TemplateType:      place.kind,
		CanaryStepIndex:   place.step,
		Args:              place.args,
	}) {
		problems = append(problems, fmt.Errorf("%s %s: %w", file, place.name, problem))
	}
	return problems
}
