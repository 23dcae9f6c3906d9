package github

import "primum/forges"

// Capabilities implements forges.Forge.
func (f *Forge) Capabilities() forges.Capabilities {
	return CapabilitiesOf(f.rest.String() != publicAPI, f.app())
}

// CapabilitiesOf says, without a call, what GitHub can, or an Enterprise Server,
// signed in to as an app or with a plain token.
func CapabilitiesOf(enterprise, app bool) forges.Capabilities {
	c := forges.Capabilities{
		Product:      "GitHub",
		ChangeSign:   "#",
		Annotations:  true,
		Buttons:      app,
		MergeQueue:   true,
		DeliveryLog:  app,
		PinnedCheck:  app,
		CommentMax:   commentMax,
		SummaryMax:   outputMax,
		ShortMax:     statusMax,
		CallsPerHour: 5000,
		Lacks: map[forges.Trait]string{
			forges.ReadsIssueType: "The type of an issue is not read, since not every Enterprise Server knows it: labels tell issues apart.",
		},
	}
	if enterprise {
		c.Product = "GitHub Enterprise Server"
		c.CallsPerHour = 0
		c.Notes = append(c.Notes, "The rate limit of an Enterprise Server is off unless its administrator sets one.")
	}
	if !app {
		c.CallsPerHour = 1000
		c.Lacks[forges.TellsApp] = "A plain token has no installations: the repository is named."
		c.Lacks[forges.DoesSuspend] = "A plain token is revoked, not suspended."
		c.Lacks[forges.DoesRerun] = "A check posted with a plain token has no button that reaches Primum: run the job again."
		c.Lacks[forges.DoesNeutral] = "A token that may not write checks posts a commit status, which is green where the verdict is advice."
		c.Notes = append(c.Notes, "With a plain token anybody who may push can post the same check; only an app's check can be required from that app.")
	}
	return c
}
