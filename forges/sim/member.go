package sim

// GrantOrg makes an account a member of an organisation with a permission in
// each of its repositories, later ones too, as a role in a group does. Owners
// are made with Join.
func (f *Forge) GrantOrg(org, login string, p Permission) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, a := f.mustAccount(org), f.mustAccount(login)
	if _, in := o.Members[a.ID]; !in {
		o.Members[a.ID] = false
	}
	if o.Rights == nil {
		o.Rights = map[int64]Permission{}
	}
	o.Rights[a.ID] = p
	f.announce(Happening{Kind: OrgMemberHappened, Action: "member_added", Actor: a, Owner: o, Member: a})
}
