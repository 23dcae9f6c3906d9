package giteaface

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// Limits of reading files.
const (
	treesPerPage = 1000
	mostBlob     = 10 << 20  // bytes of one file
	mostBlobs    = 100 << 20 // bytes of an answer of several
)

// at is the commit the query "ref" names; the default branch if it names none.
func (c *call) at(s shaper, r *sim.Repo) *sim.Commit { return s.v.Resolve(r, c.query("ref")) }

// lastCommit is the newest commit that changed a path, going back by first parents.
func (s shaper) lastCommit(at *sim.Commit, path, oid string) *sim.Commit {
	for {
		if len(at.Parents) == 0 {
			return at
		}
		up := s.v.Commit(at.Parents[0])
		e, ok := s.v.Lookup(up.Tree, path)
		if !ok || e.OID != oid {
			return at
		}
		at = up
	}
}

func (s shaper) entry(r *sim.Repo, at *sim.Commit, ref, path string, e sim.TreeEntry, whole bool) j {
	kind, gitKind := "file", "blobs"
	switch e.Mode {
	case sim.ModeTree:
		kind, gitKind = "dir", "trees"
	case sim.ModeSymlink:
		kind = "symlink"
	}
	blob, _ := s.v.Blob(e.OID)
	last := s.lastCommit(at, path, e.OID)
	self := s.repoURL(r) + "/contents/" + escapePath(path) + "?ref=" + url.QueryEscape(ref)
	side := "commit"
	if r.Branches[ref] != "" {
		side = "branch"
	}
	web := fmt.Sprintf("%s/src/%s/%s/%s", s.repoWeb(r), side, escapePath(ref), escapePath(path))
	git := s.repoURL(r) + "/git/" + gitKind + "/" + e.OID
	out := j{
		"name": e.Name, "path": path, "sha": e.OID, "last_commit_sha": last.SHA, "type": kind, "size": len(blob), "encoding": nil, "content": nil,
		"target": nil, "url": self, "html_url": web, "git_url": git, "download_url": nil, "submodule_git_url": nil,
		"_links": j{"self": self, "git": git, "html": web},
	}
	if !s.forgejo {
		out["last_committer_date"], out["last_author_date"] = stamp(last.Committer.At), stamp(last.Author.At)
	}
	if kind == "dir" {
		return out
	}
	out["download_url"] = strings.Replace(web, "/src/", "/raw/", 1)
	if kind == "symlink" {
		out["target"] = string(blob)
	}
	if whole && kind == "file" && len(blob) <= mostBlob {
		out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString(blob)
	}
	return out
}

func (c *call) ref(r *sim.Repo) string {
	if ref := c.query("ref"); ref != "" {
		return ref
	}
	return r.Default
}

func (c *call) getContents() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := c.at(s, r)
		if k == nil {
			return missing("object does not exist [id: %s, rel_path: ]", c.ref(r))
		}
		path := strings.Trim(c.values["path"], "/")
		e, found := s.v.Lookup(k.Tree, path)
		if !found {
			return missing("object does not exist [id: , rel_path: %s]", path)
		}
		if e.Mode != sim.ModeTree {
			return ok(s.entry(r, k, c.ref(r), path, e, true))
		}
		list, _ := s.v.Tree(e.OID)
		out := []any{}
		for _, in := range list {
			out = append(out, s.entry(r, k, c.ref(r), strings.Trim(path+"/"+in.Name, "/"), in, false))
		}
		return ok(out)
	})
}

func (c *call) getRaw() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := c.at(s, r)
		if k == nil {
			return result{}
		}
		e, found := s.v.Lookup(k.Tree, c.values["path"])
		if !found || e.Mode == sim.ModeTree {
			return result{}
		}
		blob, _ := s.v.Blob(e.OID)
		return ok(text(blob))
	})
}

// files answers several files at once; one that is not there is null.
func (c *call) files(paths []string) {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := c.at(s, r)
		if k == nil {
			return missing("object does not exist [id: %s, rel_path: ]", c.ref(r))
		}
		out := []any{}
		bytes := 0
		for _, path := range paths[:min(len(paths), defaultPage)] {
			e, found := s.v.Lookup(k.Tree, strings.Trim(path, "/"))
			if !found || e.Mode == sim.ModeTree {
				out = append(out, nil)
				continue
			}
			blob, _ := s.v.Blob(e.OID)
			if bytes += base64.StdEncoding.EncodedLen(len(blob)); bytes > mostBlobs {
				break // the rest is not even named
			}
			out = append(out, s.entry(r, k, c.ref(r), strings.Trim(path, "/"), e, true))
		}
		return ok(out)
	})
}

func (c *call) postFileContents() {
	var in struct {
		Files []string `json:"files"`
	}
	if c.decode(&in) {
		c.files(in.Files)
	}
}

func (c *call) getFileContents() {
	var in struct {
		Files []string `json:"files"`
	}
	if err := json.Unmarshal([]byte(c.query("body")), &in); err != nil {
		c.fail(http.StatusUnprocessableEntity, "invalid body parameter")
		return
	}
	c.files(in.Files)
}

func (c *call) getBlob() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		oid := c.values["sha"]
		blob, found := s.v.Blob(oid)
		if !found {
			return failure(http.StatusBadRequest, "object does not exist [id: %s, rel_path: ]", oid)
		}
		out := j{"url": s.repoURL(r) + "/git/blobs/" + oid, "sha": oid, "size": len(blob), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(blob)}
		if len(blob) > mostBlob {
			out["content"], out["encoding"] = nil, nil
		}
		return ok(out)
	})
}

func (c *call) getTree() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		at := c.values["sha"]
		oid := at
		if k := s.v.Resolve(r, at); k != nil {
			oid = k.Tree
			at = k.SHA
		}
		if _, found := s.v.Tree(oid); !found {
			return failure(http.StatusBadRequest, "sha not found [%s]", at)
		}
		all := []any{}
		deep, _ := strconv.ParseBool(c.query("recursive"))
		var walk func(oid, prefix string)
		walk = func(oid, prefix string) {
			list, _ := s.v.Tree(oid)
			for _, e := range list {
				entry := j{"path": prefix + e.Name, "mode": e.Mode, "type": "blob", "size": 0, "sha": e.OID, "url": s.repoURL(r) + "/git/blobs/" + e.OID}
				if e.Mode == sim.ModeTree {
					entry["mode"], entry["type"], entry["url"] = "040000", "tree", s.repoURL(r)+"/git/trees/"+e.OID
				} else if blob, found := s.v.Blob(e.OID); found {
					entry["size"] = len(blob)
				}
				all = append(all, entry)
				if e.Mode == sim.ModeTree && deep {
					walk(e.OID, prefix+e.Name+"/")
				}
			}
		}
		walk(oid, "")
		size, err := strconv.Atoi(c.query("per_page"))
		if err != nil || size <= 0 || size > treesPerPage {
			size = treesPerPage
		}
		at1, err := strconv.Atoi(c.query("page"))
		if err != nil || at1 <= 0 {
			at1 = 1
		}
		from := min((at1-1)*size, len(all))
		to := min(from+size, len(all))
		c.total(len(all))
		return ok(j{
			"sha": at, "url": s.repoURL(r) + "/git/trees/" + at, "tree": all[from:to], "truncated": to < len(all), "page": at1, "total_count": len(all),
		})
	})
}

func (c *call) getCommit() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		if sha, is := strings.CutSuffix(c.values["sha"], ".diff"); is {
			k := s.v.Commit(sha)
			if k == nil {
				return result{}
			}
			parent := ""
			if len(k.Parents) > 0 {
				parent = k.Parents[0]
			}
			return ok(text(s.gitDiff(parent, k.SHA)))
		}
		k := s.v.Resolve(r, c.values["sha"])
		if k == nil {
			return failure(http.StatusNotFound, "commit doesn't exist: %s", c.values["sha"])
		}
		out := s.commit(r, k)
		for name, drop := range map[string]func(){
			"stat": func() { out["stats"] = nil }, "files": func() { out["files"] = nil },
			"verification": func() {
				if inner, is := out["commit"].(j); is {
					inner["verification"] = nil
				}
			},
		} {
			if c.query(name) == "false" {
				drop()
			}
		}
		return ok(out)
	})
}

func (c *call) listCommits() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := s.v.Resolve(r, c.query("sha"))
		if k == nil {
			return result{}
		}
		all := s.v.Between("", k.SHA)
		if path := c.query("path"); path != "" {
			var touching []*sim.Commit
			for _, k := range all {
				parent := ""
				if len(k.Parents) > 0 {
					parent = k.Parents[0]
				}
				for _, d := range s.v.CompareCommits(parent, k.SHA, false) {
					if d.Path == path || d.Previous == path || strings.HasPrefix(d.Path, path+"/") {
						touching = append(touching, k)
						break
					}
				}
			}
			all = touching
		}
		c.w.Header().Set("X-Total", strconv.Itoa(len(all)))
		return ok(s.commits(r, newestFirst(c, all)))
	})
}

func newestFirst(c *call, all []*sim.Commit) []*sim.Commit {
	turned := make([]*sim.Commit, 0, len(all))
	for _, k := range slices.Backward(all) {
		turned = append(turned, k)
	}
	out := linked(c, turned)
	c.pages(len(all))
	return out
}

func (s shaper) commits(r *sim.Repo, all []*sim.Commit) []any {
	out := []any{}
	for _, k := range all {
		out = append(out, s.commit(r, k))
	}
	return out
}

// side finds a side of a comparison: a branch, tag or commit, or "owner:branch"
// of a fork.
func side(v *sim.View, r *sim.Repo, name string) *sim.Commit {
	if owner, branch, fork := strings.Cut(name, ":"); fork {
		other := v.Repo(owner + "/" + r.Name)
		if other == nil {
			return nil
		}
		return v.Resolve(other, branch)
	}
	return v.Resolve(r, name)
}

func (c *call) compare() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		b, h, three := strings.Cut(c.values["basehead"], "...")
		if !three {
			b, h, three = strings.Cut(c.values["basehead"], "..")
		}
		base, head := side(s.v, r, b), side(s.v, r, h)
		if !three || base == nil || head == nil {
			return result{}
		}
		all := s.v.Between(base.SHA, head.SHA)
		turned := make([]*sim.Commit, 0, len(all))
		for _, k := range slices.Backward(all) {
			turned = append(turned, k)
		}
		return ok(j{"total_commits": len(all), "commits": s.commits(r, turned)})
	})
}
