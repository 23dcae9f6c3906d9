package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// errNothing is an act without what it needs.
var errNothing = errors.New("there is nothing to send, the field is empty")

// deed is one act as asked for by a form.
type deed struct {
	who    sim.Actor
	me     member
	number int
	form   url.Values
}

func (d *deed) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(d.form.Get(name), "\r\n", "\n"))
}

// act does what a form asks for, as the person chosen, and leads back.
func (s *site) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form cannot be read.", http.StatusBadRequest)
		return
	}
	n, _ := strconv.Atoi(r.PostForm.Get("number"))
	d := &deed{me: s.me(r), number: n, form: r.PostForm}
	d.who = s.w.forge.As(d.me.Login)
	done, to, err := s.obey(d, r.PostForm.Get("do"))
	if to == "" {
		to = local(r.PostForm.Get("back"))
	}
	q := url.Values{}
	switch {
	case err != nil:
		q.Set("said", d.me.Login+" could not do that: "+say(err)+".")
	case done != "":
		q.Set("done", d.me.Login+" "+done+".")
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // local keeps to paths of ours
}

// obey carries an act out; done says so in words, to is where to go if not back.
func (s *site) obey(d *deed, what string) (done, to string, err error) {
	n, body := d.number, d.text("body")
	switch what {
	case "approve":
		return "approved " + s.w.scene.Sign + strconv.Itoa(n), "", s.w.scene.approve(d.who, n, body)
	case "refuse":
		if body == "" {
			body = "Please look at this again."
		}
		return "asks for changes", "", s.w.scene.refuse(d.who, n, body)
	case "comment":
		if body == "" {
			return "", "", errNothing
		}
		_, err = d.who.Comment(repo, n, body)
		return "commented", "", err
	case "link":
		_, err = d.who.Comment(repo, n, "/primum link #"+strings.TrimPrefix(d.text("issue"), "#"))
		return "linked an issue", "", err
	case "risk":
		return s.risk(d)
	case "push":
		return s.tweak(d)
	case "save":
		return s.save(d)
	case "describe":
		return "edited the description", "", d.who.SetBody(repo, n, body+"\n")
	case "check":
		return s.checkAct(d)
	case "forge":
		return s.forgeAct(d)
	case "press":
		id, _ := strconv.ParseInt(d.text("check"), 10, 64)
		return "pressed the button", "", d.who.PressButton(repo, id, d.text("button"))
	case "ready":
		return "marked it ready", "", d.who.MarkReady(repo, n)
	case "draft":
		return "made it a draft", "", d.who.ConvertToDraft(repo, n)
	case "close":
		return "closed it", "", d.who.Close(repo, n, "not_planned")
	case "reopen":
		return "opened it again", "", d.who.Reopen(repo, n)
	case "merge":
		_, err = d.who.Merge(repo, n, sim.MergeOptions{})
		return "merged " + s.w.scene.Sign + strconv.Itoa(n), "", err
	default:
		return "", "", fmt.Errorf("nobody knows how to %q", what)
	}
}

// risk answers the four questions in one comment.
func (s *site) risk(d *deed) (done, to string, err error) {
	lines := []string{"/primum risk"}
	for i := 1; i <= 4; i++ {
		answer := strings.Join(strings.Fields(d.text("risk"+strconv.Itoa(i))), " ")
		if answer != "" {
			lines = append(lines, strconv.Itoa(i)+": "+answer)
		}
	}
	if len(lines) == 1 {
		return "", "", errNothing
	}
	_, err = d.who.Comment(repo, d.number, strings.Join(lines, "\n"))
	return "answered the risk questions", "", err
}

// head is the branch of an open change.
func (s *site) head(n int) (string, error) {
	is, ok := s.w.forge.Issue(repo, n)
	if !ok || is.Change == nil {
		return "", fmt.Errorf("there is no change %d", n)
	}
	return is.Change.HeadBranch, nil
}

// tweak pushes a small commit: a line at the end of a file.
func (s *site) tweak(d *deed) (done, to string, err error) {
	name, err := s.head(d.number)
	if err != nil {
		return "", "", err
	}
	path := d.text("path")
	old, _ := s.w.forge.File(repo, name, path)
	note := "Looked at once more by " + d.me.Name + "."
	switch {
	case strings.HasSuffix(path, ".py"), strings.HasSuffix(path, ".yml"):
		note = "# " + note
	case !strings.HasSuffix(path, ".md"):
		note = "/* " + note + " */"
	}
	tip, err := d.who.Push(repo, name, signed("Touch up "+path, map[string]string{path: old + note + "\n"}))
	if err != nil {
		return "", "", err
	}
	return "pushed " + tip[:8], "", nil
}

// save puts an edited file on a change's branch, or on a new branch with a
// change of its own.
func (s *site) save(d *deed) (done, to string, err error) {
	path, title := d.text("path"), d.text("title")
	text := strings.TrimRight(strings.ReplaceAll(d.form.Get("text"), "\r\n", "\n"), "\n") + "\n"
	if path == "" || strings.HasPrefix(path, "/") || strings.Contains(path, "..") {
		return "", "", errors.New("the path is empty or leads outside the repository")
	}
	if title == "" {
		title = "Edit " + path
	}
	name := d.text("branch")
	if name != branch {
		tip, err := d.who.Push(repo, name, signed(title, map[string]string{path: text}))
		if err != nil {
			return "", "", err
		}
		return "pushed " + tip[:8], s.w.scene.Change(d.number), nil
	}
	name = fmt.Sprintf("%s-%d", d.me.Login, s.w.now().UnixMilli())
	if _, err := d.who.Push(repo, name, signed(title, map[string]string{path: text})); err != nil {
		return "", "", err
	}
	n, err := d.who.OpenChange(repo, sim.NewChange{Title: title, Body: d.text("body"), Head: name, Base: branch})
	if err != nil {
		return "", "", err
	}
	return "opened " + s.w.scene.Sign + strconv.Itoa(n), s.w.scene.Change(n), nil
}

// checkAct lets CI report on a change's head: nobody's own doing.
func (s *site) checkAct(d *deed) (done, to string, err error) {
	is, ok := s.w.forge.Issue(repo, d.number)
	if !ok || is.Change == nil {
		return "", "", fmt.Errorf("there is no change %d", d.number)
	}
	run := sim.CheckRun{Name: d.text("name"), SHA: is.Change.Head, Status: "completed", Conclusion: d.text("conclusion")}
	if run.Conclusion == "" {
		run.Status = "in_progress"
	}
	_, err = s.w.forge.AsApp(ci).CreateCheck(repo, run)
	return "let CI report " + run.Name, "", err
}

// forgeAct sets Primum's status by hand, as anybody who may push can where
// verdicts are commit statuses.
func (s *site) forgeAct(d *deed) (done, to string, err error) {
	is, ok := s.w.forge.Issue(repo, d.number)
	if !ok || is.Change == nil {
		return "", "", fmt.Errorf("there is no change %d", d.number)
	}
	_, err = d.who.SetStatus(repo, is.Change.Head, sim.Status{Context: "primum", State: "success", Description: "Looks fine to me"})
	return "set the status primum to success", "", err
}
