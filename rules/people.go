package rules

import (
	"maps"
	"slices"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

// People is who may do what on this change: roles as resolved by the forge,
// the set of authors, and every approval with what became of it.
type People struct {
	Authors   []Author
	Approvals []Approval
	roles     map[string][]policy.Role // account id to roles
	byRole    map[policy.Role][]fact.Person
	problems  map[policy.Role][]string

	declared map[policy.Role]bool // the policy names somebody, resolved or not
	authorAt map[string]int       // account id to index in Authors
	unmapped []identity           // identities of commits without an account
	verdicts []approval           // beside Approvals, what rules ask of each
	objected []fact.Review        // standing requests for changes by holders of a role
	policyAt string               // the policy's path, for cures
}

// identity is one name and address found on commits.
type identity struct {
	who    fact.Identity
	commit string
	part   string // "author", "committer"
}

func newPeople(c *fact.Change, p *policy.Policy) *People {
	pp := &People{
		roles:    map[string][]policy.Role{},
		byRole:   map[policy.Role][]fact.Person{},
		problems: map[policy.Role][]string{},
		declared: map[policy.Role]bool{},
		authorAt: map[string]int{},
		policyAt: p.Source.Path,
	}
	if pp.policyAt == "" {
		pp.policyAt = policy.Path
	}
	pp.resolve(c, p)
	pp.findAuthors(c)
	return pp
}

// resolve gives roles to accounts. A principal that could not be resolved gives
// its role to nobody; bots hold no role.
func (pp *People) resolve(c *fact.Change, p *policy.Policy) {
	order := make([]policy.Role, 0, len(p.People))
	for role := range p.People {
		order = append(order, role)
	}
	slices.Sort(order)
	for _, role := range order {
		for _, principal := range p.People[role] {
			pp.declared[role] = true
			found, ok := c.People[principal]
			switch {
			case !ok:
				pp.problems[role] = append(pp.problems[role], principal+" was not looked up")
			case found.Problem != "":
				pp.problems[role] = append(pp.problems[role], principal+": "+found.Problem)
			}
			if found.Problem != "" {
				continue
			}
			for _, m := range found.Members {
				if !m.Known() || m.Bot || slices.Contains(pp.roles[m.ID], role) {
					continue
				}
				pp.roles[m.ID] = append(pp.roles[m.ID], role)
				pp.byRole[role] = append(pp.byRole[role], m)
			}
		}
	}
}

// findAuthors collects everybody who wrote the change, from the forge and from
// git together: opener, authors, committers and co-authors of every commit, and
// who pushed them, for the names in a commit are whatever its maker wrote.
// An address without an account is matched to an account that the change
// itself ties to the same address.
func (pp *People) findAuthors(c *fact.Change) {
	if c.Opener.Known() {
		pp.addAuthor(c.Opener, "opened the change")
	}
	byMail := map[string]fact.Person{}
	for i := range c.Commits {
		for _, id := range everybody(&c.Commits[i]) {
			if id.Account.Known() && id.Email != "" && !claimsForge(id) {
				byMail[strings.ToLower(id.Email)] = id.Account
			}
		}
	}
	seen := map[string]bool{}
	take := func(id fact.Identity, commit, part, why string) {
		who := id.Account
		switch {
		case claimsForge(id):
			who = fact.Person{} // whoever it is hides behind the forge's address
		case !who.Known():
			who = byMail[strings.ToLower(id.Email)]
		}
		if who.Known() {
			pp.addAuthor(who, why+sha(commit))
			return
		}
		for _, p := range pp.namesakes(c, id) {
			pp.addAuthor(p, why+sha(commit))
		}
		if key := strings.ToLower(id.Email) + "\x00" + id.Name; !seen[key] {
			seen[key] = true
			pp.unmapped = append(pp.unmapped, identity{id, commit, part})
		}
	}
	for i := range c.Commits {
		k := &c.Commits[i]
		take(k.Author, k.SHA, "author", "author of ")
		if !committedByForge(k) {
			take(k.Committer, k.SHA, "committer", "committed ")
		}
		for _, co := range k.CoAuthors {
			take(co, k.SHA, "co-author", "co-author of ")
		}
	}
	for _, p := range c.Pushers {
		if p.Person.Known() && !p.Person.Bot {
			pp.addAuthor(p.Person, "pushed "+sha(p.SHA))
		}
	}
}

// namesakes are the people with a say on the change, by role or review, who are
// called as an identity that no account is known of. Some forges do not tell
// whose an address is, and anybody may commit from a private one: rather one
// approval too few than one by an author.
func (pp *People) namesakes(c *fact.Change, id fact.Identity) []fact.Person {
	if claimsForge(id) {
		return nil
	}
	var out []fact.Person
	take := func(p fact.Person) {
		if p.Known() && !p.Bot && calledAs(p, id) && !slices.ContainsFunc(out, p.Is) {
			out = append(out, p)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(pp.byRole)) {
		for _, p := range pp.byRole[role] {
			take(p)
		}
	}
	for i := range c.Reviews {
		take(c.Reviews[i].Author)
	}
	return out
}

// calledAs reports whether an identity bears a person's full name, or the login
// as its name or before the "@" of its address.
func calledAs(p fact.Person, id fact.Identity) bool {
	local, _, _ := strings.Cut(id.Email, "@")
	for _, mark := range []string{"+", "-"} { // "583231+mara" and "583231-mara" are addresses a forge gives
		if number, login, ok := strings.Cut(local, mark); ok && number != "" && strings.Trim(number, "0123456789") == "" {
			local = login
		}
	}
	full := strings.Contains(strings.TrimSpace(p.Name), " ") && strings.EqualFold(strings.TrimSpace(p.Name), strings.TrimSpace(id.Name))
	return full || p.Login != "" && (strings.EqualFold(p.Login, local) || strings.EqualFold(p.Login, id.Name))
}

func everybody(k *fact.Commit) []fact.Identity {
	return append([]fact.Identity{k.Author, k.Committer}, k.CoAuthors...)
}

// claimsForge reports whether an identity carries the address that GitHub writes
// for itself. Anybody can write it.
func claimsForge(id fact.Identity) bool { return strings.EqualFold(id.Email, "noreply@github.com") }

// committedByForge reports whether the forge itself committed what somebody did
// on its web pages: it has an address of the forge and the forge's own signature. Then
// its committer is nobody; its author is who did it.
func committedByForge(k *fact.Commit) bool {
	own := claimsForge(k.Committer) ||
		!k.Committer.Account.Known() && strings.HasPrefix(strings.ToLower(k.Committer.Email), "noreply@") // an instance of one's own
	return own && k.Signature.ByForge && k.Signature.Valid
}

// maxWhys bounds the reasons listed for one author.
const maxWhys = 3

func (pp *People) addAuthor(who fact.Person, why string) {
	at, ok := pp.authorAt[who.ID]
	if !ok {
		pp.authorAt[who.ID] = len(pp.Authors)
		pp.Authors = append(pp.Authors, Author{Person: who, Why: []string{why}})
		return
	}
	a := &pp.Authors[at]
	if len(a.Why) < maxWhys && !slices.Contains(a.Why, why) {
		a.Why = append(a.Why, why)
	}
}

// Roles are the roles an account holds, sorted.
func (pp *People) Roles(who fact.Person) []policy.Role { return pp.roles[who.ID] }

// Holds reports whether an account holds any of these roles.
func (pp *People) Holds(who fact.Person, roles ...policy.Role) bool {
	if !who.Known() || who.Bot {
		return false
	}
	for _, r := range pp.roles[who.ID] {
		if slices.Contains(roles, r) {
			return true
		}
	}
	return false
}

// Holders are the accounts that hold a role, in the order of the policy.
func (pp *People) Holders(role policy.Role) []fact.Person { return pp.byRole[role] }

// AuthorWhy says why an account counts as author of the change; ok is false if
// it does not.
func (pp *People) AuthorWhy(who fact.Person) (why string, ok bool) {
	if !who.Known() {
		return "", false
	}
	at, ok := pp.authorAt[who.ID]
	if !ok {
		return "", false
	}
	return pp.Authors[at].Why[0], true
}

// hasPart reports whether a person holds any role or is an author: whether what
// they ask for concerns anybody.
func (pp *People) hasPart(who fact.Person) bool {
	_, author := pp.AuthorWhy(who)
	return author || who.Known() && len(pp.roles[who.ID]) > 0
}

// eligible are the holders of any of the roles who are not authors, in order.
func (pp *People) eligible(roles ...policy.Role) []fact.Person {
	var out []fact.Person
	for _, r := range roles {
		for _, m := range pp.byRole[r] {
			if _, author := pp.AuthorWhy(m); author || slices.ContainsFunc(out, m.Is) {
				continue
			}
			out = append(out, m)
		}
	}
	return out
}

// nobody says that no person can act in any of the roles: state and cure. ok is
// false if somebody can.
func (pp *People) nobody(roles ...policy.Role) (f Finding, ok bool) {
	if len(roles) == 0 || len(pp.eligible(roles...)) > 0 {
		return Finding{}, false
	}
	names := either(roleWords(roles))
	var problems []string
	held, declared := false, false
	for _, r := range roles {
		problems = append(problems, pp.problems[r]...)
		held = held || len(pp.byRole[r]) > 0
		declared = declared || pp.declared[r]
	}
	f = Finding{
		Outcome: Fail,
		Who:     []string{"whoever looks after " + pp.policyAt},
		Path:    pp.policyAt,
	}
	line := code("people: {" + string(roles[0]) + ": [\"user:LOGIN\"]}")
	switch {
	case held:
		f.Message = "Everybody in the role " + names + " is an author of this change"
		f.Fix = "Name a further person for the role in " + f.Path + ", such as " + line
	case declared && len(problems) > 0:
		f.Message = "Nobody holds the role " + names + " (" + few(problems) + ")"
		f.Fix = "Mend the entry under people in " + f.Path + ", or the team on the forge"
	case declared:
		f.Message = "Nobody holds the role " + names + ": the teams and accounts in the policy have no member that counts"
		f.Fix = "Add members to the team, or a person to " + f.Path + ", such as " + line
	default:
		f.Message = "The policy names nobody for the role " + names
		f.Fix = "Add " + line + " (or a team, \"team:NAME\") to " + f.Path
	}
	return f, true
}

// approvers are the roles a rule's approver-roles name; where the list is empty
// all roles of the policy, and quality where it has none.
func (c *Case) approvers(s policy.Setting) []policy.Role {
	if roles := s.Roles("approver-roles"); len(roles) > 0 {
		return roles
	}
	if all := rolesInOrder(c.Policy); len(all) > 0 {
		return all
	}
	return []policy.Role{policy.Quality}
}

// unstaffed reports whether the policy names no people at all; review-quorum
// says so once for every rule.
func (c *Case) unstaffed() bool {
	return len(c.Policy.People) == 0 && c.enforces[reviewQuorumID] == policy.Block
}
