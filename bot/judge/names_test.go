package judge

import "testing"

func TestAFullNameIsCutAtItsLastSlash(t *testing.T) {
	t.Parallel()
	for full, want := range map[string][2]string{
		"acme/pump": {"acme", "pump"}, "acme/devices/pump": {"acme/devices", "pump"},
		"pump": {}, "": {}, "/pump": {}, "acme/": {}, "acme//pump": {}, "acme/devices/": {},
	} {
		owner, name, ok := cutName(full)
		if ok != (want[1] != "") || ok && (owner != want[0] || name != want[1]) {
			t.Errorf("%q is %q and %q (%v), want %v", full, owner, name, ok, want)
		}
	}
}
