package peers

import "strings"

// randomPolicy is a list-form document; every tenth has something in it for which it is refused here.
func randomPolicy(d dice) policy {
	p := policy{entries: []*entry{}}
	switch roll := d.IntN(100); {
	case roll < 12:
		return policy{entries: []*entry{oddEntry(d)}}
	case roll < 15:
		return policy{entries: []*entry{entryOfUsers(d)}}
	}
	for range d.IntN(7) {
		e := randomEntry(d)
		p.entries = append(p.entries, &e)
	}
	if d.chance(12) {
		p.spoil(d)
	}
	return p
}

// randomEntry is of version 2, of version 1, or of both at once.
func randomEntry(d dice) entry {
	var e entry
	both := d.chance(15)
	if version2 := d.chance(60); version2 || both {
		if d.chance(80) {
			e.ResourcePermissions = randomPermissions(d, randomKey)
		}
		if d.chance(40) {
			e.NonResourcePermissions = randomPermissions(d, func(d dice) string { return one(d, paths) })
		}
		if d.chance(60) {
			e.Users = randomUsers(d)
		}
	}
	if e.ResourcePermissions == nil && e.NonResourcePermissions == nil || both {
		e.addVersion1(d)
		if d.chance(10) {
			e.Users = randomUsers(d)
		}
	}
	return e
}

func randomUsers(d dice) *users {
	var u users
	if d.chance(80) {
		u.Roles = some(d, 0, 2, roleNames)
	}
	if d.chance(92) {
		u.Projects = some(d, 0, 3, randomProjects)
	}
	return &u
}

var randomProjects = append(append([]string{"*", ""}, projectIDs...), append(projectNames, "demo", demoID)...)

func randomPermissions(d dice, key func(dice) string) permissions {
	granted := permissions{}
	for range d.IntN(4) {
		granted[key(d)] = randomVerbs(d)
	}
	return granted
}

func randomVerbs(d dice) []string {
	if d.chance(35) {
		return []string{"*"}
	}
	return some(d, 0, 4, verbs)
}

// randomKey is "namespace/resource", or something that is meant to be.
func randomKey(d dice) string {
	key := randomHalf(d, namespaces) + "/" + randomHalf(d, resources)
	switch roll := d.IntN(100); {
	case roll < 3:
		return one(d, namespaces)
	case roll < 6:
		return key + "/" + one(d, subresources)
	case roll < 8:
		return one(d, []string{"", "/", "//", "*", "/pods", "default/", "*/ ", "!"})
	}
	return key
}

func randomHalf(d dice, names []string) string {
	list := func() string { return "['" + strings.Join(some(d, 1, 3, names), "', '") + "']" }
	switch roll := d.IntN(100); {
	case roll < 25:
		return "*"
	case roll < 50:
		return one(d, names)
	case roll < 62:
		return "!" + one(d, names)
	case roll < 76:
		return list()
	case roll < 86:
		return "!" + list()
	case roll < 92:
		return one(d, []string{" ", "\t", "  "}) + strings.ToUpper(one(d, names)) + one(d, []string{" ", ""})
	}
	return one(d, oddHalves)
}

// oddEntry permits everything to everyone as far as its odd keys allow.
func oddEntry(d dice) *entry {
	granted := permissions{}
	for range 3 {
		if odd := one(d, oddHalves); d.chance(60) {
			granted[odd+"/*"] = []string{"*"}
		} else {
			granted["*/"+odd] = []string{"*"}
		}
		if d.chance(50) {
			break
		}
	}
	return &entry{ResourcePermissions: granted}
}

// entryOfUsers permits everything to users by what could be a name or an id.
func entryOfUsers(d dice) *entry {
	return &entry{
		Resource: &resource{Verbs: []string{"*"}, Resources: []string{"*"}, Version: pointer("*"), Namespace: pointer("*")},
		Match:    []condition{{Type: "user", Values: some(d, 1, 2, []string{aliceID, longID, "bob"})}},
	}
}

// oddHalves are what nobody should write and somebody has.
var oddHalves = []string{
	"", "!", "!*", "!!default", "! default", "[]", "![]", "['*']", "!['*']", "['default', '*']", "['default'", "[default]", "!['default'",
	"['default', 1]", "!['default', 1]", `["default","pods"]`, "['default',]", "default]", "['a]b']", "!['a]b']", "a]b", "**", "def*", "*default", "[null]", "![null]", "!['default', null]",
	"\ufeffdefault", "default\u0085", "\u00a0default", "TEAM-\u212a", "\u0130", "\u0391\u03a3",
}

// oddValues are what such a half could be taken for, among the namespaces of requests.
var oddValues = []string{"a]b", "team-k", "i", "i\u0307", "\u03b1\u03c3", "\u03b1\u03c2", "\ufeffdefault", "def", "default", "default"}

func (e *entry) addVersion1(d dice) {
	if d.chance(80) {
		e.Resource = &resource{Version: pointer(one(d, append(apiGroups, "*", "*"))), Namespace: pointer(one(d, append(namespaces, "*", "*", "*", "")))}
		if d.chance(95) {
			e.Resource.Verbs = randomVerbs(d)
		}
		if d.chance(95) {
			e.Resource.Resources = some(d, 0, 3, resourcesOfVersion1)
		}
	}
	if d.chance(40) {
		e.NonResource = &nonResource{Verbs: randomVerbs(d)}
		if d.chance(92) {
			e.NonResource.Path = pointer(one(d, append(paths, "*", "/api*", "/logs/*", "/m**", "**")))
		}
	}
	if d.chance(75) {
		e.Match = []condition{}
		for range d.IntN(3) {
			e.Match = append(e.Match, randomCondition(d))
		}
	}
}

var resourcesOfVersion1 = append([]string{
	"*", "*", "pods", "pods/*", "pods/exec", "pods/log", "deployments/*", "secrets/status", "*/exec", "*/*", "",
}, resources...)

func randomCondition(d dice) condition {
	values := map[string][]string{
		"user":    userNames,
		"group":   append(groupNames, ""),
		"project": randomProjects,
		"role":    roleNames,
		"tenant":  roleNames, // unknown to both
		"Role":    roleNames,
	}
	kind := one(d, []string{"user", "user", "group", "project", "project", "role", "role", "role", "tenant", "Role"})
	c := condition{Type: kind}
	if d.chance(95) {
		c.Values = some(d, 0, 3, values[kind])
		if d.chance(15) {
			c.Values = append(c.Values, "*")
		}
	}
	return c
}

func pointer[T any](value T) *T { return &value }
