package peers

// randomReview is a request of a Keystone user, mostly; else of someone who is none. Most are near to what the policy allows.
func randomReview(d dice, p policy) review {
	asked := anyReview(d)
	if d.chance(70) {
		asked.aim(d, p)
	}
	return asked
}

func anyReview(d dice) review {
	asked := review{User: one(d, userNames), Groups: some(d, 0, 2, groupNames), Extra: randomExtra(d)}
	if d.chance(30) {
		asked.UID = one(d, []string{aliceID, longID, "alice"})
	}
	if d.chance(20) {
		asked.NonResource = &nonResourceRequest{Verb: one(d, verbs), Path: one(d, paths)}
		return asked
	}
	// Never without a resource: the peer takes that for any resource, and kube-apiserver never asks so.
	asked.Resource = &resourceRequest{
		Verb:      one(d, verbs),
		Group:     one(d, apiGroups),
		Version:   "v1",
		Resource:  one(d, resources),
		Namespace: one(d, namespaces),
	}
	if d.chance(15) {
		asked.Resource.Namespace = ""
	}
	if d.chance(3) {
		asked.Resource.Resource = one(d, oddValues)
	}
	if d.chance(30) {
		asked.Resource.Subresource = one(d, subresources)
	}
	if d.chance(20) {
		asked.Resource.Name = "web-1"
	}
	return asked
}

func randomExtra(d dice) map[string][]string {
	switch roll := d.IntN(100); {
	case roll < 6:
		return nil
	case roll < 10:
		return map[string][]string{}
	case roll < 20:
		return map[string][]string{"authentication.kubernetes.io/pod-name": {"web-1"}, projectDomain: {homeDomain}}
	case roll < 25:
		return map[string][]string{identity + "user/domain/id": {homeDomain}}
	}
	extra := map[string][]string{
		identity + "roles":            some(d, 0, 3, roleNames),
		identity + "user/domain/name": {"Default"},
	}
	if d.chance(90) {
		extra[identity+"project/id"] = []string{one(d, projectIDs)}
		extra[identity+"project/name"] = []string{one(d, projectNames)}
	}
	if d.chance(60) {
		extra[projectDomain] = []string{one(d, []string{homeDomain, homeDomain, otherID})}
	}
	return extra
}
