package policy

// ShippedDefault is the origin of a value that no file sets.
const ShippedDefault = "shipped default"

// BuiltInRoles are the roles every policy may use without declaring them.
func BuiltInRoles() []Role { return []Role{Developer, Verification, Risk, Quality, Regulatory} }

// defaultProtected ties the files that Primum itself relies on to the role that
// answers for them (5.1.10, 8.1.1). The files the policy names come with them.
func defaultProtected(p *Policy) []Protected {
	all := []Protected{
		{Paths: []string{Path}, Role: Quality, What: "the policy"},
		{Paths: []string{"CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"}, Role: Quality, What: "the code owners"},
		{Paths: defaultWorkflows(), Role: Verification, What: "a workflow"},
	}
	if risk := riskFiles(p); len(risk) > 0 {
		all = append(all, Protected{Paths: risk, Role: Risk, What: "a rationale or the risk file"})
	}
	if p.SOUP != nil {
		all = append(all, Protected{Paths: []string{p.SOUP.Register}, Role: Quality, What: "the SOUP register"})
	}
	for i := range all {
		all[i].Origin = ShippedDefault
	}
	return all
}

func defaultWorkflows() []string {
	return []string{
		".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".gitlab/ci/**", ".gitea/workflows/**", ".forgejo/workflows/**",
		".woodpecker.yml", ".woodpecker/**", ".drone.yml", "Jenkinsfile", "azure-pipelines.yml", ".circleci/**",
	}
}

// defaultVerification covers the usual places and names of tests and of the
// settings of linters and coverage, across languages.
func defaultVerification() VerificationPaths {
	return VerificationPaths{
		Tests: []string{
			"test/**", "tests/**", "**/test/**", "**/tests/**", "**/__tests__/**", "**/testdata/**", "spec/**",
			"**/*_test.go", "**/test_*.py", "**/*_test.py", "**/conftest.py", "**/*.{spec,test}.{js,jsx,ts,tsx,mjs}",
			"**/*Test.java", "**/*Tests.java", "**/*Test.kt", "**/*Tests.cs", "**/*Test.cs", "**/*Tests.swift",
			"**/*_test.{c,cc,cpp}", "**/test_*.{c,cc,cpp}", "**/*_{spec,test}.rb", "**/*_test.rs",
		},
		Workflows: defaultWorkflows(),
		Settings: []string{
			".golangci.{yml,yaml,toml}", ".clang-tidy", "**/.clang-tidy", ".eslintrc*", "eslint.config.*", "tsconfig*.json",
			"jest.config.*", "vitest.config.*", "pytest.ini", "setup.cfg", "tox.ini", "pyproject.toml", ".pylintrc", "mypy.ini",
			".coveragerc", "codecov.yml", ".codecov.yml", "sonar-project.properties", ".pre-commit-config.yaml", "clippy.toml",
			"checkstyle.xml", ".editorconfig",
		},
	}
}

func defaultAnomaly() IssueKind {
	return IssueKind{Labels: []string{"bug", "anomaly"}, Form: "anomaly"}
}

func defaultChangeRequest() IssueKind {
	return IssueKind{Labels: []string{"change-request"}, Form: "change-request"}
}
