package sim

import "slices"

// RequestReview asks people to review a change.
func (a Actor) RequestReview(repo string, number int, logins ...string) error {
	return a.request(repo, number, logins, true)
}

// UnrequestReview takes the asking back.
func (a Actor) UnrequestReview(repo string, number int, logins ...string) error {
	return a.request(repo, number, logins, false)
}

func (a Actor) request(repo string, number int, logins []string, ask bool) error {
	return a.onChange(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		for _, l := range logins {
			who := f.account(l)
			if who == nil {
				return refuse(NotFound, "no account %s", l)
			}
			if who.ID == is.Author || !f.permission(r, who).AtLeast(Read) {
				return refuse(Invalid, "%s cannot review this change", l)
			}
			if slices.Contains(c.Requested, who.ID) == ask {
				continue
			}
			f.touch(is)
			action, kind := "review_requested", "review_requested"
			if ask {
				c.Requested = append(slices.Clone(c.Requested), who.ID)
			} else {
				action, kind = "review_request_removed", "review_request_removed"
				c.Requested = slices.DeleteFunc(slices.Clone(c.Requested), func(id int64) bool { return id == who.ID })
			}
			f.event(is, IssueEvent{Kind: kind, Actor: me.ID, Other: who.ID})
			f.announce(Happening{Kind: RequestHappened, Action: action, Actor: me, Repo: r, Issue: is, Member: who})
		}
		return nil
	})
}
