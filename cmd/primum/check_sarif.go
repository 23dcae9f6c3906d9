package main

import (
	"net/url"
	"sort"
	"strings"

	"primum/bot/report"
	"primum/rules"
	"primum/rules/policy"
)

// The parts of SARIF 2.1.0 (OASIS) that a verdict fills. A log holds one run;
// every finding is a result, with the place it points at, or else the path that
// decides the class, or else the policy file.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		Results    []sarifResult `json:"results"`
		Properties sarifProps    `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID     string     `json:"id"`
		Short  sarifText  `json:"shortDescription"`
		Full   *sarifText `json:"fullDescription,omitempty"`
		Help   *sarifText `json:"help,omitempty"`
		Config struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
		Properties sarifProps `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Kind      string          `json:"kind"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line   int `json:"startLine"`
				Column int `json:"startColumn,omitempty"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
	sarifProps map[string]any
)

// policyRule is the rule id under which errors of the policy file are reported.
const policyRule = "policy-file"

// sarifOf is a verdict as a SARIF log.
func sarifOf(v *rules.Verdict) sarifLog {
	s := sarifWriter{v: v, index: map[string]int{}}
	for _, e := range v.PolicyErrors {
		s.policyError(e)
	}
	for _, r := range v.Results {
		s.result(r)
	}
	if s.results == nil {
		s.results = []sarifResult{}
	}
	if s.rules == nil {
		s.rules = []sarifRule{}
	}
	return sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:    sarifTool{Driver: sarifDriver{Name: "primum", Version: v.Engine, Rules: s.rules}},
			Results: s.results,
			Properties: sarifProps{
				"state": v.State, "class": v.Class.Class, "head": v.Subject.Head, "reason": v.Reason, "factsDigest": v.FactsDigest,
			},
		}},
	}
}

type sarifWriter struct {
	v       *rules.Verdict
	rules   []sarifRule
	index   map[string]int
	results []sarifResult
}

func (s *sarifWriter) rule(id, title, why, fix, level string, clauses []string) int {
	if i, ok := s.index[id]; ok {
		return i
	}
	r := sarifRule{ID: id, Short: sarifText{Text: title}}
	if why != "" {
		r.Full = &sarifText{Text: why}
	}
	if fix != "" {
		r.Help = &sarifText{Text: fix}
	}
	r.Config.Level = level
	if len(clauses) > 0 {
		sorted := append([]string{}, clauses...)
		sort.Strings(sorted)
		r.Properties = sarifProps{"tags": sorted}
	}
	s.index[id] = len(s.rules)
	s.rules = append(s.rules, r)
	return s.index[id]
}

func (s *sarifWriter) policyError(e policy.Error) {
	i := s.rule(policyRule, "The policy file is valid", "", "", "error", nil)
	text := report.Clean(e.What)
	if e.Fix != "" {
		text += "; " + report.Clean(e.Fix)
	}
	s.results = append(s.results, sarifResult{
		RuleID: policyRule, RuleIndex: i, Kind: "fail", Level: "error", Message: sarifText{Text: text},
		Locations: at(e.File, e.Line, e.Column),
	})
}

func (s *sarifWriter) result(r rules.Result) {
	level := "error"
	if r.Enforcement != policy.Block {
		level = "warning"
	}
	why, fix := "", ""
	if known, ok := rules.Find(r.Rule); ok {
		why, fix = known.Why, known.Fix
	}
	i := s.rule(r.Rule, r.Title, why, fix, level, r.Clauses)
	kind := ""
	switch r.Outcome {
	case rules.Fail:
		kind = "fail"
	case rules.Pending, rules.Unknown:
		kind = "open"
		level = "none" // SARIF: a level belongs to failures only
	case rules.Pass, rules.Waived, rules.NA:
		return
	}
	findings := r.Findings
	if len(findings) == 0 {
		findings = []rules.Finding{{Message: r.Summary}}
	}
	for _, f := range findings {
		parts := []string{report.Clean(f.Message)}
		for _, more := range []string{f.Fix, f.Command} {
			if more != "" {
				parts = append(parts, report.Clean(more))
			}
		}
		s.results = append(s.results, sarifResult{
			RuleID: r.Rule, RuleIndex: i, Kind: kind, Level: level,
			Message: sarifText{Text: strings.Join(parts, " ")}, Locations: s.place(f),
		})
	}
}

// place is where a finding points; code scanning shows nothing without a place.
func (s *sarifWriter) place(f rules.Finding) []sarifLocation {
	switch {
	case f.Path != "":
		return at(f.Path, f.Line, 0)
	case len(s.v.Class.Deciding) > 0:
		return at(s.v.Class.Deciding[0].Path, 0, 0)
	default:
		return at(policy.Path, 0, 0)
	}
}

func at(path string, line, column int) []sarifLocation {
	var l sarifLocation
	l.Physical.Artifact.URI = uriPath(path)
	l.Physical.Region.Line = max(1, line)
	l.Physical.Region.Column = column
	return []sarifLocation{l}
}

// uriPath is a repository path as a relative URI reference.
func uriPath(path string) string {
	return (&url.URL{Path: path}).String()
}
