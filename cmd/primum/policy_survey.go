package main

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"

	"primum/rules/policy"
)

// survey is what a look at a repository finds.
type survey struct {
	forge     string // github, gitlab or gitea
	forgeSure bool   // found, not assumed
	owner     string // owner of the repository on the forge
	repo      string // "owner/name", "" without a remote
	product   string // an id made from the repository's name

	items     []foundItem
	outside   []string // globs of what is no device software
	tests     []string // globs of tests
	unmapped  []string // folders that cannot be written as a glob
	languages []string // most files first
	manifests []string
	jobs      []string // jobs of workflows, as names of checks
	people    map[policy.Role][]string
	owners    string // the CODEOWNERS file, if there is one
	skipped   []string
}

// foundItem is a proposed software item.
type foundItem struct {
	id    string
	globs []string
	why   string
}

const maxSurvey = 200_000 // files looked at

func surveyOf(ctx context.Context, dir string) (survey, error) {
	files, err := filesOf(ctx, dir)
	if err != nil {
		return survey{}, err
	}
	s := survey{people: map[policy.Role][]string{}}
	s.remote(ctx, dir, files)
	s.languagesOf(files)
	s.folders(files)
	s.manifestsOf(files)
	s.readOwners(dir, files)
	s.readWorkflows(dir, files)
	return s, nil
}

// filesOf lists the files of a repository by slash paths: what git tracks or
// would track, or without git what is there.
func filesOf(ctx context.Context, dir string) ([]string, error) {
	if out, err := (checkout{dir: dir}).git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard"); err == nil {
		files := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
		if len(files) == 1 && files[0] == "" {
			return nil, nil
		}
		sort.Strings(files)
		return slices.Compact(files), nil
	}
	var files []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name := d.Name()
		if d.IsDir() && slices.Contains([]string{".git", "node_modules", "vendor", "target", ".venv"}, name) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			files = append(files, filepath.ToSlash(rel))
		}
		if len(files) > maxSurvey {
			return fs.SkipAll
		}
		return nil
	})
	return files, err
}

// remote finds the forge and the repository's name from the git remote, the
// forge failing that from the folders it uses.
func (s *survey) remote(ctx context.Context, dir string, files []string) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	name := filepath.Base(abs)
	address, _ := checkout{dir: dir}.line(ctx, "remote", "get-url", "origin") // without a remote nothing is known of it
	host, p := splitRemote(address)
	if owner, base := path.Split(p); owner != "" && base != "" {
		s.owner, name, s.repo = strings.Trim(owner, "/"), base, strings.Trim(p, "/")
	}
	s.product = identifier(name)
	s.forge = "github"
	for _, guess := range []struct {
		words []string
		forge string
	}{{[]string{"github"}, "github"}, {[]string{"gitlab"}, "gitlab"}, {[]string{"gitea", "forgejo", "codeberg"}, "gitea"}} {
		for _, w := range guess.words {
			if strings.Contains(strings.ToLower(host), w) {
				s.forge, s.forgeSure = guess.forge, true
				return
			}
			for _, f := range files {
				if !s.forgeSure && strings.HasPrefix(f, "."+w) {
					s.forge, s.forgeSure = guess.forge, true
				}
			}
		}
	}
}

// splitRemote takes host and path from a remote's address, of either form git
// knows (https://host/owner/name.git, git@host:owner/name.git).
func splitRemote(address string) (host, p string) {
	address = strings.TrimSuffix(strings.TrimSpace(address), ".git")
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Hostname(), strings.Trim(u.Path, "/")
	}
	host, p, ok := strings.Cut(address, ":")
	if !ok || strings.ContainsAny(host, `/\`) {
		return "", ""
	}
	return host[strings.LastIndexByte(host, '@')+1:], strings.Trim(p, "/")
}

// identifier makes an id of a name.
func identifier(name string) string {
	id := regexp.MustCompile(`[^a-z0-9._-]+`).ReplaceAllString(strings.ToLower(name), "-")
	id = strings.TrimLeft(id, "._-")
	id = strings.TrimRight(id[:min(len(id), 64)], "-")
	if id == "" {
		return "product"
	}
	return id
}

// sourceLanguages by the extension of their files.
func sourceLanguages() map[string]string {
	return map[string]string{
		".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".hpp": "C++", ".hh": "C++", ".rs": "Rust", ".go": "Go", ".py": "Python",
		".java": "Java", ".kt": "Kotlin", ".swift": "Swift", ".m": "Objective-C", ".cs": "C#", ".js": "JavaScript", ".jsx": "JavaScript", ".mjs": "JavaScript",
		".ts": "TypeScript", ".tsx": "TypeScript", ".rb": "Ruby", ".php": "PHP", ".dart": "Dart", ".scala": "Scala", ".adb": "Ada", ".ads": "Ada",
		".s": "assembly", ".asm": "assembly", ".vhd": "VHDL", ".v": "Verilog", ".sv": "SystemVerilog", ".qml": "QML", ".lua": "Lua", ".ex": "Elixir",
		".jl": "Julia", ".mat": "MATLAB", ".slx": "Simulink", ".sql": "SQL", ".proto": "Protocol Buffers",
	}
}

func (s *survey) languagesOf(files []string) {
	count := map[string]int{}
	known := sourceLanguages()
	for _, f := range files {
		if l := known[strings.ToLower(path.Ext(f))]; l != "" {
			count[l]++
		}
	}
	for l := range count {
		s.languages = append(s.languages, l)
	}
	slices.SortFunc(s.languages, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
}

// isSource reports whether a file holds source text.
func isSource(f string) bool { return sourceLanguages()[strings.ToLower(path.Ext(f))] != "" }

func (s *survey) manifestsOf(files []string) {
	known := []string{
		"go.mod", "package.json", "requirements.txt", "pyproject.toml", "Pipfile", "Cargo.toml", "pom.xml", "build.gradle", "build.gradle.kts", "conanfile.txt",
		"conanfile.py", "vcpkg.json", "west.yml", "platformio.ini", ".gitmodules", "Gemfile", "composer.json", "pubspec.yaml", "Podfile", "Package.swift", "packages.lock.json",
	}
	for _, f := range files {
		if slices.Contains(known, path.Base(f)) && len(s.manifests) < 10 {
			s.manifests = append(s.manifests, f)
		}
	}
}

// readOwners proposes roles from CODEOWNERS: everybody in it reviews code;
// teams whose name says more get the role it says.
func (s *survey) readOwners(dir string, files []string) {
	for _, name := range []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"} {
		if slices.Contains(files, name) {
			s.owners = name
			break
		}
	}
	if s.owners == "" {
		return
	}
	src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.owners))) //nolint:gosec // a file of the repository
	if err != nil {
		s.skipped = append(s.skipped, s.owners+" could not be read")
		return
	}
	for line := range strings.Lines(string(src)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		for _, w := range words[min(1, len(words)):] {
			s.addOwner(w)
		}
	}
}

func (s *survey) addOwner(w string) {
	name, ok := strings.CutPrefix(w, "@")
	if !ok || name == "" {
		if strings.Contains(w, "@") && !slices.Contains(s.skipped, "addresses in "+s.owners) {
			s.skipped = append(s.skipped, "addresses in "+s.owners)
		}
		return
	}
	who := "user:" + name
	if org, team, isTeam := strings.Cut(name, "/"); isTeam {
		who = "team:" + name
		if strings.EqualFold(org, s.owner) {
			who = "team:" + team
		}
	}
	if !regexp.MustCompile(`^(team|user):[A-Za-z0-9][A-Za-z0-9_./-]*$`).MatchString(who) {
		return
	}
	role := roleOf(who)
	if !slices.Contains(s.people[role], who) && len(s.people[role]) < 12 {
		s.people[role] = append(s.people[role], who)
	}
}

// roleOf guesses a team's role from its name.
func roleOf(who string) policy.Role {
	if !strings.HasPrefix(who, "team:") {
		return policy.Developer
	}
	for _, guess := range []struct {
		part string
		role policy.Role
	}{
		{"quality", policy.Quality},
		{"qms", policy.Quality},
		{"regulat", policy.Regulatory},
		{"risk", policy.Risk},
		{"safety", policy.Risk},
		{"verif", policy.Verification},
		{"test", policy.Verification},
		{"-qa", policy.Verification},
		{":qa", policy.Verification},
	} {
		if strings.Contains(strings.ToLower(who), guess.part) {
			return guess.role
		}
	}
	return policy.Developer
}

// readWorkflows collects the jobs that could become required checks.
func (s *survey) readWorkflows(dir string, files []string) {
	for _, f := range files {
		ext := path.Ext(f)
		folder := path.Dir(f)
		if ext != ".yml" && ext != ".yaml" || folder != ".github/workflows" && folder != ".gitea/workflows" && folder != ".forgejo/workflows" {
			continue
		}
		src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f))) //nolint:gosec // a file of the repository
		if err != nil {
			continue
		}
		var flow struct {
			Jobs map[string]struct {
				Name string `yaml:"name"`
			} `yaml:"jobs"`
		}
		if yaml.Load(src, &flow) != nil {
			s.skipped = append(s.skipped, f+" is not readable as YAML")
			continue
		}
		for id, job := range flow.Jobs {
			if job.Name != "" && !strings.Contains(job.Name, "${{") {
				id = job.Name
			}
			if !slices.Contains(s.jobs, id) {
				s.jobs = append(s.jobs, id)
			}
		}
	}
	sort.Strings(s.jobs)
	s.jobs = s.jobs[:min(len(s.jobs), 8)]
}
