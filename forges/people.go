package forges

// PeopleCache is a forge that keeps the members of teams for a while, so that
// reading a change does not ask for them every time.
type PeopleCache interface {
	// Forget drops what is known of the owner's teams and of all single
	// accounts: the next reading asks again. An empty owner drops everything.
	Forget(owner string)
}
