package gitlabface

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// mode writes a mode with six digits.
func mode(m string) string {
	if m == sim.ModeTree {
		return "040000"
	}
	return m
}

// file is a file found at a ref.
type file struct {
	commit *sim.Commit
	entry  sim.TreeEntry
	text   []byte
}

func (c *call) findFile(s shaper, r *sim.Repo) (file, error) {
	if !c.given("ref") && !strings.HasSuffix(c.r.URL.Path, "/raw") {
		return file{}, badParam("ref is missing, ref is empty")
	}
	k := s.v.Resolve(r, c.text("ref"))
	if k == nil {
		return file{}, notFound("Commit")
	}
	e, ok := s.v.Lookup(k.Tree, c.r.PathValue("path"))
	if !ok || e.Mode == sim.ModeTree {
		return file{}, notFound("File")
	}
	text, _ := s.v.Blob(e.OID)
	return file{k, e, text}, nil
}

func (c *call) getFile() error {
	if c.r.Method != http.MethodHead {
		return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
			f, err := c.findFile(s, r)
			if err != nil {
				return nil, err
			}
			return j{
				"file_name": path.Base(c.r.PathValue("path")), "file_path": c.r.PathValue("path"), "size": len(f.text), "encoding": "base64",
				"content": base64.StdEncoding.EncodeToString(f.text), "content_sha256": sum(f.text), "ref": c.text("ref"), "blob_id": f.entry.OID,
				"commit_id": f.commit.SHA, "last_commit_id": f.commit.SHA, "execute_filemode": f.entry.Mode == sim.ModeExecutable,
			}, nil
		})
	}
	var f file
	err := c.inProject(func(s shaper, r *sim.Repo) (err error) { f, err = c.findFile(s, r); return err })
	if err != nil {
		return c.redirect(err)
	}
	c.fileHeaders(f)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

func (c *call) fileHeaders(f file) {
	h := c.w.Header()
	h.Set("X-Gitlab-Blob-Id", f.entry.OID)
	h.Set("X-Gitlab-Commit-Id", f.commit.SHA)
	h.Set("X-Gitlab-Content-Sha256", sum(f.text))
	h.Set("X-Gitlab-File-Path", c.r.PathValue("path"))
	h.Set("X-Gitlab-Size", strconv.Itoa(len(f.text)))
	h.Set("X-Gitlab-Ref", c.text("ref"))
}

func (c *call) rawFile() error {
	var f file
	err := c.inProject(func(s shaper, r *sim.Repo) (err error) { f, err = c.findFile(s, r); return err })
	if err != nil {
		return c.redirect(err)
	}
	c.fileHeaders(f)
	c.raw(f.text)
	return nil
}

func (c *call) raw(text []byte) {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(text)
}

func (c *call) getBlob() error {
	return c.onProject(func(s shaper, _ *sim.Repo) (any, error) {
		text, ok := s.v.Blob(c.r.PathValue("sha"))
		if !ok {
			return nil, notFound("Blob")
		}
		return j{"size": len(text), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(text), "sha": c.r.PathValue("sha")}, nil
	})
}

func (c *call) rawBlob() error {
	var text []byte
	err := c.inProject(func(s shaper, _ *sim.Repo) error {
		var ok bool
		if text, ok = s.v.Blob(c.r.PathValue("sha")); !ok {
			return notFound("Blob")
		}
		return nil
	})
	if err != nil {
		return c.redirect(err)
	}
	c.raw(text)
	return nil
}

func (c *call) listTree() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		k := s.v.Resolve(r, c.text("ref"))
		if k == nil {
			return nil, notFound("Tree")
		}
		top := strings.Trim(c.text("path"), "/")
		e, ok := s.v.Lookup(k.Tree, top)
		if !ok || e.Mode != sim.ModeTree {
			return nil, notFound("invalid revision or path")
		}
		var all []j
		var walk func(oid, at string)
		walk = func(oid, at string) {
			entries, _ := s.v.Tree(oid)
			entries = slices.Clone(entries)
			slices.SortStableFunc(entries, func(a, b sim.TreeEntry) int { return b2i(a.Mode != sim.ModeTree) - b2i(b.Mode != sim.ModeTree) })
			for _, e := range entries {
				kind, full := "blob", strings.TrimPrefix(at+"/"+e.Name, "/")
				if e.Mode == sim.ModeTree {
					kind = "tree"
				}
				all = append(all, j{"id": e.OID, "name": e.Name, "type": kind, "path": full, "mode": mode(e.Mode)})
				if e.Mode == sim.ModeTree && c.truth("recursive") {
					walk(e.OID, full)
				}
			}
		}
		walk(e.OID, top)
		return shapes(page(c, all), func(x j) j { return x }), nil
	})
}

func (c *call) compare() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		from, to := s.v.Resolve(r, c.text("from")), s.v.Resolve(r, c.text("to"))
		if from == nil || to == nil {
			return nil, notFound("Ref")
		}
		base := from.SHA
		if !c.truth("straight") {
			base = s.v.MergeBase(from.SHA, to.SHA)
		}
		commits, diffs := []any{}, []any{}
		for _, k := range s.v.Between(from.SHA, to.SHA) {
			commits = append(commits, s.commit(r, k))
		}
		for _, d := range s.v.CompareCommits(base, to.SHA, true) {
			diffs = append(diffs, diff(d))
		}
		return j{
			"commit": s.commit(r, to), "commits": commits, "diffs": diffs, "compare_timeout": false, "compare_same_ref": from.SHA == to.SHA,
			"web_url": fmt.Sprintf("%s/-/compare/%s...%s", s.repoWeb(r), c.text("from"), c.text("to")),
		}, nil
	})
}

func (c *call) mergeBase() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		refs := c.list("refs")
		if len(refs) < 2 {
			return nil, badParam("Provide at least 2 refs")
		}
		base := ""
		for i, ref := range refs {
			k := s.v.Resolve(r, ref)
			if k == nil {
				return nil, refuse(http.StatusBadRequest, "400 Bad request - Could not find ref: "+ref)
			}
			if i == 0 {
				base = k.SHA
				continue
			}
			base = s.v.MergeBase(base, k.SHA)
		}
		k := s.v.Commit(base)
		if k == nil {
			return nil, notFound("Merge Base")
		}
		return s.commit(r, k), nil
	})
}

func (c *call) listCommits() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		ref := c.text("ref_name")
		var all []*sim.Commit
		if from, to, between := strings.Cut(ref, ".."); between {
			a, b := s.v.Resolve(r, from), s.v.Resolve(r, strings.TrimPrefix(to, "."))
			if a == nil || b == nil {
				return nil, notFound("Commit")
			}
			all = s.v.Between(a.SHA, b.SHA)
		} else {
			k := s.v.Resolve(r, ref)
			if k == nil {
				return nil, notFound("Commit")
			}
			all = s.v.Between("", k.SHA)
		}
		all = slices.Clone(all)
		slices.Reverse(all)
		return shapes(page(c, all), func(k *sim.Commit) j { return s.commitShape(r, k) }), nil
	})
}

// commitShape is a commit that is known to be there.
func (s shaper) commitShape(r *sim.Repo, k *sim.Commit) j {
	out, _ := s.commit(r, k).(j)
	return out
}

func (c *call) getCommit() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		k := s.v.Resolve(r, c.r.PathValue("sha"))
		if k == nil {
			return nil, notFound("Commit")
		}
		parent := ""
		if len(k.Parents) > 0 {
			parent = k.Parents[0]
		}
		added, deleted := 0, 0
		for _, d := range s.v.CompareCommits(parent, k.SHA, true) {
			added, deleted = added+d.Additions, deleted+d.Deletions
		}
		out := s.commitShape(r, k)
		out["stats"], out["project_id"] = j{"additions": added, "deletions": deleted, "total": added + deleted}, r.ID
		out["status"], out["last_pipeline"] = nil, nil
		if all := s.t.state.pipelinesWhere(func(p *pipeline) bool { return p.project == r.ID && p.sha == k.SHA }); len(all) > 0 {
			out["status"], out["last_pipeline"] = all[0].status(), s.pipelineBasic(all[0])
		}
		return out, nil
	})
}

// verification is GitLab's word for what a signature is worth.
func verification(g sim.Signature) string {
	switch {
	case g.ByForge:
		return "VERIFIED_SYSTEM"
	case g.Valid:
		return "VERIFIED"
	case g.Reason == "unknown_key":
		return "UNKNOWN_KEY"
	}
	return "UNVERIFIED"
}

func (c *call) signature() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		k := s.v.Resolve(r, c.r.PathValue("sha"))
		if k == nil {
			return nil, notFound("Commit")
		}
		if !k.Signature.Present {
			return nil, notFound("Signature")
		}
		return j{
			"signature_type": "PGP", "verification_status": strings.ToLower(verification(k.Signature)), "gpg_key_id": 1, "gpg_key_primary_keyid": "5EED00005EED0000",
			"gpg_key_user_name": k.Committer.Name, "gpg_key_user_email": k.Committer.Email, "gpg_key_subkey_id": nil, "commit_source": "gitaly",
		}, nil
	})
}

func (s shaper) branch(r *sim.Repo, name string) j {
	guarded := slices.ContainsFunc(s.protectedBranches(r), func(b protectedBranch) bool { return b.name == name })
	return j{
		"name": name, "merged": false, "protected": guarded, "developers_can_push": false, "developers_can_merge": false, "can_push": true,
		"default": name == r.Default, "web_url": s.repoWeb(r) + "/-/tree/" + name, "commit": s.commit(r, s.v.Commit(r.Branches[name])),
	}
}

func (c *call) listBranches() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		names := slices.Sorted(maps.Keys(r.Branches))
		if q := c.text("search"); q != "" {
			names = slices.DeleteFunc(names, func(n string) bool { return !strings.Contains(n, q) })
		}
		return shapes(page(c, names), func(n string) j { return s.branch(r, n) }), nil
	})
}

func (c *call) getBranch() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		name := c.r.PathValue("branch")
		if r.Branches[name] == "" {
			return nil, notFound("Branch")
		}
		return s.branch(r, name), nil
	})
}

func (c *call) listProtected() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		if err := c.need(s, r, sim.Maintain); err != nil {
			return nil, err
		}
		return shapes(page(c, s.protectedBranches(r)), func(b protectedBranch) j { return s.protectedBranch(b) }), nil
	})
}

func (c *call) getProtected() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		if err := c.need(s, r, sim.Maintain); err != nil {
			return nil, err
		}
		for _, b := range s.protectedBranches(r) {
			if b.name == c.r.PathValue("branch") {
				return s.protectedBranch(b), nil
			}
		}
		return nil, notFound("")
	})
}

// protect protects a branch: 409 if it is, by a rule of that name.
func (c *call) protect() error {
	if c.text("name") == "" {
		return badParam("name is missing")
	}
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		name := c.text("name")
		if slices.ContainsFunc(s.protectedBranches(r), func(b protectedBranch) bool { return b.name == name }) {
			return refuse(http.StatusConflict, "Protected branch '"+name+"' already exists")
		}
		g := guard{push: maintainer, merge: maintainer}
		if c.given("push_access_level") {
			g.push = int(c.number("push_access_level"))
		}
		if c.given("merge_access_level") {
			g.merge = int(c.number("merge_access_level"))
		}
		s.t.state.change(r.ID, func(p *settings) { p.guards = with(p.guards, name, &g) })
		for _, b := range s.protectedBranches(r) {
			if b.name == name {
				out = s.protectedBranch(b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusCreated, out)
	return nil
}

// unprotect takes the protection of a branch away.
func (c *call) unprotect() error {
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		name := c.r.PathValue("branch")
		if !slices.ContainsFunc(s.protectedBranches(r), func(b protectedBranch) bool { return b.name == name }) {
			return notFound("")
		}
		s.t.state.change(r.ID, func(p *settings) { p.guards = with(p.guards, name, nil) })
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// with is a copy of a project's guards with one changed: settings are copied.
func with(all map[string]*guard, name string, g *guard) map[string]*guard {
	out := map[string]*guard{}
	maps.Copy(out, all)
	out[name] = g
	return out
}
