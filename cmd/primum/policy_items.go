package main

import (
	"path"
	"slices"
	"sort"
	"strings"
)

// What a top folder's name says about it.
func isDocs(name string) bool {
	return slices.Contains([]string{"doc", "docs", "documentation", "licenses", ".vscode", ".idea", ".changes"}, strings.ToLower(name))
}

func isTests(name string) bool {
	return slices.Contains([]string{"test", "tests", "testing", "testdata", "spec", "specs", "e2e", "__tests__", "integration-tests"}, strings.ToLower(name))
}

func isBuild(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"ci", "cmake", "scripts", "script", "tools", "tool", "deploy", "docker", "build", "packaging", "hack", "toolchain"}, strings.ToLower(name))
}

// isContainer names folders that hold the items rather than being one.
func isContainer(name string) bool {
	return slices.Contains([]string{"src", "source", "sources", "lib", "libs", "app", "apps", "packages", "pkg", "internal", "cmd", "crates", "modules", "components", "services", "fw", "firmware", "sw", "software"}, strings.ToLower(name))
}

// folders proposes an item per top folder, or per folder in one that holds
// several, and sorts the rest into documents, tests and build.
func (s *survey) folders(files []string) {
	var top, build, root []string
	byTop := map[string][]string{}
	for _, f := range files {
		folder, _, nested := strings.Cut(f, "/")
		if !nested {
			root = append(root, f)
			continue
		}
		if byTop[folder] == nil {
			top = append(top, folder)
		}
		byTop[folder] = append(byTop[folder], f)
	}
	sort.Strings(top)
	for _, folder := range top {
		glob := folder + "/**"
		switch {
		case strings.ContainsAny(folder, `*?[]{}\!`):
			s.unmapped = append(s.unmapped, folder)
		case isDocs(folder):
			s.outside = append(s.outside, glob)
		case isTests(folder):
			s.tests = append(s.tests, glob)
		case isBuild(folder):
			build = append(build, glob)
		default:
			s.folder(folder, byTop[folder])
		}
	}
	s.rootFiles(root, build)
	if len(s.tests) > 0 {
		s.items = append(s.items, foundItem{id: s.free("tests"), globs: s.tests, why: "they verify the device software and are not part of it at run time"})
	}
}

// folder adds one top folder: as one item, or one for each folder in it.
func (s *survey) folder(name string, files []string) {
	var subs, direct []string
	for _, f := range files {
		rest := strings.TrimPrefix(f, name+"/")
		sub, _, nested := strings.Cut(rest, "/")
		switch {
		case !nested:
			direct = append(direct, f)
		case !slices.Contains(subs, sub) && !strings.ContainsAny(sub, `*?[]{}\!`):
			subs = append(subs, sub)
		}
	}
	if !isContainer(name) || len(subs) < 2 || len(subs) > 12 {
		s.items = append(s.items, foundItem{id: s.free(identifier(name)), globs: []string{name + "/**"}})
		return
	}
	sort.Strings(subs)
	for _, sub := range subs {
		glob := name + "/" + sub + "/**"
		if isTests(sub) {
			s.tests = append(s.tests, glob)
			continue
		}
		s.items = append(s.items, foundItem{id: s.free(identifier(sub)), globs: []string{glob}})
	}
	if len(direct) > 0 {
		s.items = append(s.items, foundItem{id: s.free(identifier(name)), globs: []string{name + "/*"}})
	}
}

// rootFiles sorts the files that lie in no folder.
func (s *survey) rootFiles(files, build []string) {
	var sources, rest []string
	for _, f := range files {
		upper := strings.ToUpper(f)
		switch {
		case strings.ContainsAny(f, `*?[]{}\!`):
			s.unmapped = append(s.unmapped, f)
		case path.Ext(upper) == ".MD" || path.Ext(upper) == ".RST" || path.Ext(upper) == ".ADOC":
			if glob := "*" + path.Ext(f); !slices.Contains(s.outside, glob) {
				s.outside = append(s.outside, glob)
			}
		case strings.HasPrefix(upper, "LICEN") || strings.HasPrefix(upper, "COPYING") || upper == "AUTHORS" || upper == "NOTICE":
			s.outside = append(s.outside, f)
		case isSource(f):
			if glob := "*" + path.Ext(f); !slices.Contains(sources, glob) {
				sources = append(sources, glob)
			}
		default:
			rest = append(rest, f)
		}
	}
	if len(sources) > 0 {
		s.items = append(s.items, foundItem{id: s.free("main"), globs: sources, why: "source files in no folder"})
	}
	if !slices.Contains(rest, ".primum.yml") {
		rest = append(rest, ".primum.yml")
	}
	sort.Strings(rest)
	s.items = append(s.items, foundItem{id: s.free("build"), globs: append(build, rest...), why: "what builds, checks and controls the device software (5.1.10, 8.1.1)"})
}

// free is the id, with a number if it is taken.
func (s *survey) free(id string) string {
	try := id
	for n := 2; slices.ContainsFunc(s.items, func(i foundItem) bool { return i.id == try }) || try == s.product; n++ {
		try = id + "-" + string(rune('0'+min(n, 9)))
		if n > 9 {
			try = id + strings.Repeat("x", n-8)
		}
	}
	return try
}
