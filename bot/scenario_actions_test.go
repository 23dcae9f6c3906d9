package bot_test

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

const repo = "acme/infusion"

// do plays one action line; see testdata/scenarios/README.md. The service comes
// to rest before it: a story tells what is decided, not who was first.
func (s *story) do(text string) {
	s.t.Helper()
	w := split(text)
	f := s.rig.forge
	s.rig.settle()
	switch w[0] {
	case "check": // check NAME by APP on #3 is STATE
		_, err := f.AsApp(w[3]).CreateCheck(s.rig.repo, sim.CheckRun{Name: w[1], SHA: s.rig.head(number(s.t, w[5])), Status: "completed", Conclusion: w[7]})
		s.must(text, err)
		return
	case "status": // status NAME by WHO on #3 is STATE
		s.rig.next() // its time is said where it bears our name
		_, err := f.As(w[3]).SetStatus(s.rig.repo, s.rig.head(number(s.t, w[5])), sim.Status{Context: w[1], State: w[7]})
		s.must(text, err)
		return
	case "deliveries":
		s.rig.lose(at(w, 2) == "lost")
		return
	case "sweep":
		s.rig.sweep()
		return
	case "hours":
		n, err := strconv.Atoi(w[1])
		s.must(text, err)
		s.rig.pass(time.Duration(n) * time.Hour)
		return
	}
	s.rig.next()
	who := f.As(w[0])
	switch verb := strings.Join(w[1:min(3, len(w))], " "); {
	case verb == "opens issue":
		_, err := who.OpenIssue(s.rig.repo, w[3], s.file(w[5]), labels(w)...)
		s.must(text, err)
	case verb == "opens change":
		s.openChange(text, w)
	case w[1] == "pushes":
		_, err := who.Push(s.rig.repo, w[4], s.commit(w[2], after(w, "co-author")))
		s.must(text, err)
	case w[1] == "rebases":
		_, err := who.Rebase(s.rig.repo, w[2], w[4])
		s.must(text, err)
	case w[1] == "retargets":
		s.must(text, who.Retarget(s.rig.repo, number(s.t, w[2]), w[4]))
	case w[1] == "approves":
		_, err := who.Approve(s.rig.repo, number(s.t, w[2]), at(w, 3))
		s.must(text, err)
	case verb == "requests changes":
		_, err := who.RequestChanges(s.rig.repo, number(s.t, w[4]), at(w, 5))
		s.must(text, err)
	case w[1] == "dismisses":
		n := number(s.t, w[5])
		s.must(text, who.DismissReview(s.rig.repo, n, s.rig.reviewOf(n, w[2]), "no longer"))
	case w[1] == "comments":
		_, err := who.Comment(s.rig.repo, number(s.t, w[3]), w[4])
		s.must(text, err)
	case w[1] == "edits" && at(w, 3) == "comment":
		s.must(text, who.EditComment(s.rig.repo, s.rig.commentOf(number(s.t, w[5]), w[2]), w[6]))
	case w[1] == "deletes":
		s.must(text, who.DeleteComment(s.rig.repo, s.rig.commentOf(number(s.t, w[5]), w[2])))
	case w[1] == "edits":
		s.must(text, who.SetBody(s.rig.repo, number(s.t, w[2]), s.file(w[4])))
	case w[1] == "titles":
		s.must(text, who.SetTitle(s.rig.repo, number(s.t, w[2]), w[3]))
	case w[1] == "labels":
		s.must(text, who.Label(s.rig.repo, number(s.t, w[2]), w[3]))
	case w[1] == "marks":
		s.must(text, who.MarkReady(s.rig.repo, number(s.t, w[2])))
	case w[1] == "merges": // WHO merges #3 [by squash|rebase]
		_, err := who.Merge(s.rig.repo, number(s.t, w[2]), sim.MergeOptions{Method: sim.MergeMethod(after(w, "by"))})
		s.must(text, err)
	case w[1] == "protects":
		s.must(text, who.Protect(s.rig.repo, w[2], &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum", App: s.rig.face.app}}}))
	case verb == "renames team":
		s.must(text, who.RenameTeam("acme", w[3], w[5], w[5]))
	case w[1] == "adds":
		s.must(text, who.AddTeamMember("acme", w[4], w[2]))
	case verb == "opens thread":
		_, err := who.OpenThread(s.rig.repo, number(s.t, w[4]), w[5], 1, "Is this right for a negative value?")
		s.must(text, err)
	case w[1] == "queues":
		var numbers []int
		for _, word := range w[2:] {
			numbers = append(numbers, number(s.t, word))
		}
		c, err := who.Enqueue(s.rig.repo, numbers...)
		s.must(text, err)
		s.rig.candidate = c.Head
	case verb == "renames the":
		s.must(text, who.RenameRepo(s.rig.repo, w[5]))
		s.rig.repo = "acme/" + w[5]
	default:
		s.t.Fatalf("nobody knows how to do %q", text)
	}
}

// openChange plays: WHO opens change "TITLE" on BRANCH [from DIR] [into BASE] [body FILE] [draft] [co-author WHO].
func (s *story) openChange(text string, w []string) {
	s.t.Helper()
	who := s.rig.forge.As(w[0])
	if base := after(w, "into"); base != "" && s.rig.forge.Tip(s.rig.repo, base) == "" {
		_, err := s.rig.forge.As("alex").Push(s.rig.repo, base)
		s.must(text, err)
	}
	if dir := after(w, "from"); dir != "" {
		_, err := who.Push(s.rig.repo, w[5], s.commit(dir, after(w, "co-author")))
		s.must(text, err)
	}
	body := "body.md"
	if b := after(w, "body"); b != "" {
		body = b
	}
	_, err := who.OpenChange(s.rig.repo, sim.NewChange{Title: w[3], Body: s.file(body), Head: w[5], Base: after(w, "into"), Draft: slices.Contains(w[6:], "draft")})
	s.must(text, err)
}

func (s *story) commit(dir, coAuthor string) sim.NewCommit {
	s.t.Helper()
	files, move, remove := s.dir(dir)
	c := sim.NewCommit{
		Message: "work on " + dir, Files: files, Move: move, Remove: remove,
		Signature: sim.Signature{Present: true, Valid: true, Reason: "valid"},
	}
	if coAuthor != "" {
		c.CoAuthors = []string{coAuthor}
	}
	return c
}

func (s *story) must(text string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
}

// after is the word that follows another one, or "".
func after(w []string, word string) string {
	if i := slices.Index(w, word); i >= 0 && i+1 < len(w) {
		return w[i+1]
	}
	return ""
}

func at(w []string, i int) string {
	if i < len(w) {
		return w[i]
	}
	return ""
}

func labels(w []string) []string {
	if l := after(w, "labelled"); l != "" {
		return strings.Split(l, ",")
	}
	return nil
}
