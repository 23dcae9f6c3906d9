package policy

// catalogue lists the ids of the whole rule catalogue. Those the registry does
// not hold yet may stand in a file, so that one file serves versions to come.
func catalogue() []string {
	return []string{
		"link-change-request", "link-problem-report", "link-requirement", "cr-analysis-complete", "cr-approved",
		"review-quorum", "review-author-not-approver", "review-independent", "review-not-stale", "review-meaning",
		"class-declared", "class-tree-valid", "risk-assessment-present", "risk-residual-acceptable", "risk-control-touched", "risk-trace-intact",
		"verify-checks-green", "verify-not-weakened", "verify-fix-has-test", "verify-test-record", "design-doc-current",
		"anomaly-report-complete", "anomaly-triaged", "anomaly-investigated", "anomaly-closure-verified", "anomaly-parties-advised", "anomaly-from-test-failure", "anomaly-trend-reviewed",
		"soup-registered", "soup-evaluated", "config-protected-files", "config-no-bypass", "config-forge-settings", "config-commit-identity",
		"release-changes-complete", "release-residual-anomalies", "release-identified", "release-provenance", "release-approved", "change-significance",
		"waiver-valid", "hotfix-completed",
	}
}
