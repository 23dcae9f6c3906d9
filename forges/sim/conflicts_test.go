package sim

import "testing"

// Readers ask side by side whether a change can be merged.
func TestAskingForConflictsStoresNothing(t *testing.T) {
	t.Parallel()
	f := New(Options{})
	f.AddUser("mara", "Mara Lind")
	f.AddRepo("mara/pump", RepoOptions{Files: map[string]string{"a.c": "one\ntwo\nthree\n"}})
	mara := f.As("mara")
	if _, err := mara.Push("mara/pump", "topic", NewCommit{Files: map[string]string{"a.c": "ONE\ntwo\nthree\n"}}); err != nil {
		t.Fatal(err)
	}
	n, err := mara.OpenChange("mara/pump", NewChange{Title: "One", Head: "topic"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mara.Push("mara/pump", "main", NewCommit{Files: map[string]string{"a.c": "one\ntwo\nTHREE\n"}}); err != nil {
		t.Fatal(err)
	}
	trees, blobs := len(f.objects.trees), len(f.objects.blobs)
	if reasons := f.Hinders("mara/pump", n); len(reasons) > 0 {
		t.Errorf("hindered by %v", reasons)
	}
	if len(f.objects.trees) != trees || len(f.objects.blobs) != blobs {
		t.Error("asking left objects behind")
	}
}
