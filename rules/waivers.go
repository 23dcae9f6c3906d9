package rules

import (
	"slices"
	"strconv"
	"time"

	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// waiverDesk decides on the waivers of one change.
type waiverDesk struct {
	change   *fact.Change
	people   *People
	level    class.Level // the change's class
	column   class.Level
	setting  policy.Setting // of waiver-valid
	roles    []policy.Role  // who can approve
	bindHead bool           // an approval holds for the head it was given on only
	now      time.Time
	all      []Rule
}

// readWaivers turns the commands on a change into waivers, numbered by request.
// Commands that could not be understood got an answer already and are no request.
func (d *waiverDesk) readWaivers(ev *evidence.Evidence) []Waiver {
	var out []Waiver
	for i := range ev.Commands {
		k := &ev.Commands[i]
		if k.Name != "waive" || k.Wrong != "" {
			continue
		}
		w := Waiver{
			ID: "W" + strconv.Itoa(len(out)+1), Rule: k.Rule, Until: k.Until, Because: k.Because,
			Requester: k.By, Requested: k.At, State: WaiverRequested,
		}
		if k.Comment != nil {
			w.URL = k.Comment.URL
		}
		w.Subject = subjectOf(k)
		d.decide(&w, ev)
		out = append(out, w)
	}
	return out
}

// WaiverSubject identifies what an approval of the waiver with this number ("W1")
// approves: who asked for what, and where. "" if there is no such request. Whoever
// remembers the approving comment keeps it as Comment.SubjectThen: a request that
// is deleted later moves the numbers of those after it, and an approval must
// not move with them.
func WaiverSubject(ev *evidence.Evidence, id string) string {
	n := 0
	for i := range ev.Commands {
		if k := &ev.Commands[i]; k.Name == "waive" && k.Wrong == "" {
			if n++; "W"+strconv.Itoa(n) == id {
				return subjectOf(k)
			}
		}
	}
	return ""
}

func subjectOf(k *evidence.Command) string {
	where := ""
	if k.Comment != nil {
		where = k.Comment.ID
	}
	return fact.TextDigest(k.By.ID+" "+where+" "+k.Rule+" "+k.Until.UTC().Format(time.DateOnly), k.Because)
}

func (d *waiverDesk) decide(w *Waiver, ev *evidence.Evidence) {
	if problem := d.refuses(w); problem != "" {
		w.State, w.Problem = WaiverInvalid, problem
		return
	}
	for i := range ev.Commands {
		k := &ev.Commands[i]
		if k.Name != "approve" || k.Wrong != "" || k.Waiver != w.ID || k.At.Before(w.Requested) {
			continue
		}
		if problem := d.unfit(w, k); problem != "" {
			if w.State != WaiverActive {
				w.Problem = problem
			}
			continue
		}
		w.State, w.Problem, w.Approver, w.Approved = WaiverActive, "", k.By, k.At
	}
	if d.now.After(w.Until) {
		w.State = WaiverExpired
		w.Problem = "ran out on " + w.Until.UTC().Format(time.DateOnly)
	}
}

// refuses says why a request cannot be approved by anybody; "" if it can.
func (d *waiverDesk) refuses(w *Waiver) string {
	if !d.people.hasPart(w.Requester) {
		return login(w.Requester) + " holds no role and is no author of the change"
	}
	i := slices.IndexFunc(d.all, func(r Rule) bool { return r.ID == w.Rule })
	if i < 0 {
		return "there is no rule " + code(w.Rule)
	}
	if !slices.Contains(d.all[i].Waivable, d.column) {
		return code(w.Rule) + " cannot be waived at class " + string(d.level)
	}
	if days := d.setting.Int("max-days"); days > 0 && w.Until.After(w.Requested.Add(d.setting.Days("max-days")+24*time.Hour)) {
		return "it runs longer than the " + plural(days, "day", "days") + " allowed at class " + string(d.level)
	}
	if says(w.Because) < 3 {
		return "its reason says too little"
	}
	return ""
}

// unfit says why an approval of a waiver does not count; "" if it does.
func (d *waiverDesk) unfit(w *Waiver, k *evidence.Command) string {
	roles := d.roles
	switch {
	case k.By.Is(w.Requester):
		return login(k.By) + " asked for it and cannot approve it"
	case !d.people.Holds(k.By, roles...):
		return login(k.By) + " does not hold the role " + either(roleWords(roles))
	}
	if _, author := d.people.AuthorWhy(k.By); author {
		return login(k.By) + " is an author of the change and cannot approve it"
	}
	if k.Comment != nil && k.Comment.SubjectThen != "" && k.Comment.SubjectThen != w.Subject {
		return login(k.By) + " approved another request of that number, which is gone"
	}
	if d.bindHead && k.Comment != nil && k.Comment.HeadThen != "" && k.Comment.HeadThen != d.change.Head.SHA {
		return "it was approved for " + sha(k.Comment.HeadThen) + " and the head is now " + sha(d.change.Head.SHA)
	}
	return ""
}

// activeFor is the index of an active waiver of a rule, or -1.
func activeFor(waivers []Waiver, rule string) int {
	for i := range waivers {
		if waivers[i].Rule == rule && waivers[i].State == WaiverActive {
			return i
		}
	}
	return -1
}

// nextExpiry is when the first active waiver runs out; zero if none does.
func nextExpiry(waivers []Waiver, now time.Time) time.Time {
	var next time.Time
	for i := range waivers {
		u := waivers[i].Until
		if waivers[i].State == WaiverActive && u.After(now) && (next.IsZero() || u.Before(next)) {
			next = u
		}
	}
	if next.IsZero() {
		return next
	}
	return next.Add(time.Second) // the first moment at which it no longer holds
}
