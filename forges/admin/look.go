package admin

import "context"

// Look is what doctor brings beside the settings of the service.
type Look struct {
	// Admin is the token of an administrator, for what Primum's own account is not
	// shown: webhooks and protection. "" if there is none.
	Admin string
	// Principals reads the roles that a policy names, "team:firmware".
	Principals func(policy []byte) []string
	// Silent reports whether a policy has verdicts posted nowhere; nil if that is not asked.
	Silent func(policy []byte) bool
	// Deliver asks for a test delivery by calling send and reports whether it
	// came to the service; nil if no test delivery is wanted.
	Deliver func(ctx context.Context, send func() error) (came bool, err error)
	// Came says that the forge's deliveries are known to reach the service.
	Came bool
	// Most is how many repositories are looked at, 50 if zero.
	Most int
}

// Bound is Most with its default.
func (l Look) Bound() int {
	if l.Most <= 0 {
		return 50
	}
	return l.Most
}

// Roles is Principals that may be nil.
func (l Look) Roles(policy []byte) []string {
	if l.Principals == nil {
		return nil
	}
	return l.Principals(policy)
}
