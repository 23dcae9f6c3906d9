package spec

import "maps"

// giteaMeasured is in what a running Gitea differs from its description.
func giteaMeasured() measured {
	return measured{
		answers: map[string]map[int]int{
			"POST /repos/{owner}/{repo}/pulls/{index}/merge":           {201: 200}, // to be merged later
			"DELETE /repos/{owner}/{repo}/issues/{index}/dependencies": {201: 200},
			"DELETE /repos/{owner}/{repo}/issues/{index}/blocks":       {201: 200},
		},
		fields: map[string]map[string]string{
			"User": {"username": "string"},
		},
	}
}

// forgejoMeasured is in what a running Forgejo differs from Gitea's description:
// it has fields of its own, and lacks some, which no description forbids.
func forgejoMeasured() measured {
	m := giteaMeasured()
	for def, fields := range map[string]map[string]string{
		"BranchProtection":             {"apply_to_admins": "boolean"},
		"CreateBranchProtectionOption": {"apply_to_admins": "boolean"},
		"EditBranchProtectionOption":   {"apply_to_admins": "boolean"},
		"User":                         {"pronouns": "string"},
		"Repository":                   {"wiki_branch": "string", "globally_editable_wiki": "boolean"},
		"Hook":                         {"url": "string", "content_type": "string", "metadata": "null"},
	} {
		if m.fields[def] == nil {
			m.fields[def] = map[string]string{}
		}
		maps.Copy(m.fields[def], fields)
	}
	return m
}
