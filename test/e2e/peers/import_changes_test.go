package peers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// grant is a part of an entry by which the peer allows a request.
type grant struct {
	index int
	entry entry
	// key is the permission of version 2 that allows it; without one it is the whole entry.
	key *string
}

// check holds that the verdict under the imported document is the peer's, or that the import names each part of the policy by which it is
// not. It returns the rows that were met.
func (im imported) check(p policy, asked review, was, is verdict) ([]row, error) {
	switch {
	case is == undecided:
		return nil, errors.New("what was imported is refused")
	case was == is:
		return nil, nil
	case was == cut:
		index := slices.IndexFunc(p.entries, func(e *entry) bool {
			return e == nil || e.appliesTo(there(), asked) && e.lacksParts(asked)
		})
		return []row{rowPanic}, im.namesLeftOut(index, "crashed")
	case is == allowed:
		return nil, errors.New("wider than the peer")
	}
	var met []row
	for _, g := range p.grants(asked) {
		if g.entry.isSpoilt {
			met = append(met, p.fault)
			if err := im.namesLeftOut(g.index, "left out"); err != nil {
				return nil, err
			}
			continue
		}
		rows := g.takenBy(asked)
		if len(rows) == 0 {
			return nil, fmt.Errorf("entry %d still grants it", g.index)
		}
		for _, name := range rows {
			if err := im.names(g.places(name, asked), name); err != nil {
				return nil, err
			}
		}
		met = append(met, rows...)
	}
	return met, nil
}

func (im imported) namesLeftOut(index int, words string) error {
	prefix := fmt.Sprintf("[%d]", index)
	for _, c := range im.changes {
		if strings.HasPrefix(c.Path, prefix) && strings.Contains(c.Message, "left out") && strings.Contains(c.Message, words) {
			return nil
		}
	}
	return fmt.Errorf("entry %d is not named as %s: %+v", index, words, im.changes)
}

// saying has words of the message for each row, because a path can be named for several reasons.
var saying = map[row]string{
	rowAnyExtra:     "service accounts",
	rowProjects:     "means the project",
	rowUserIDs:      "a user name that reads as an id",
	rowUnusable:     "never matches",
	rowSubresources: "subresources",
}

// names holds that every place is named; each is one path, or a shorter one for several keys.
func (im imported) names(places [][]string, because row) error {
	for _, paths := range places {
		isNamed := slices.ContainsFunc(im.changes, func(c change) bool {
			return slices.Contains(paths, c.Path) && strings.Contains(c.Message, saying[because])
		})
		if !isNamed {
			return fmt.Errorf("%s: %q is not named: %+v", because, paths, im.changes)
		}
	}
	return nil
}

// grants are all parts by which the peer allows the request: each by itself would.
func (p policy) grants(asked review) []grant {
	var found []grant
	for index, e := range p.entries {
		if e == nil {
			continue
		}
		parts := []grant{{index, *e, nil}}
		if asked.Resource != nil && e.ResourcePermissions != nil {
			parts = nil
			for key, verbs := range e.ResourcePermissions.sorted {
				part := *e
				part.ResourcePermissions = permissions{key: verbs}
				parts = append(parts, grant{index, part, &key})
			}
		}
		for _, part := range parts {
			if there().judge(policy{entries: []*entry{&part.entry}}, asked) == allowed {
				found = append(found, part)
			}
		}
	}
	return found
}

// takenBy are the rows of which each takes the grant away.
func (g grant) takenBy(asked review) []row {
	taking := slices.DeleteFunc(slices.Clone(ofRequests), func(name row) bool {
		return (reading{name: true}).judge(policy{entries: []*entry{&g.entry}}, asked) == allowed
	})
	if slices.Contains(taking, rowUnusable) {
		// What is named as a key that never matches needs no second name for subresources.
		taking = slices.DeleteFunc(taking, func(name row) bool { return name == rowSubresources })
	}
	return taking
}

// places are where a row takes the grant away.
func (g grant) places(name row, asked review) [][]string {
	at := fmt.Sprintf("[%d]", g.index)
	switch name {
	case rowSubresources, rowUnusable:
		ofKey := fmt.Sprintf("%s.resource_permissions[%s]", at, marshal(*g.key))
		return [][]string{{ofKey, at + ".resource_permissions"}}
	case rowProjects:
		return g.placesOfProject(asked)
	case rowUserIDs:
		return g.placesInMatch(func(c condition, value string) bool { return c.Type == "user" && value == asked.User })
	}
	return [][]string{{at}}
}

func (g grant) placesOfProject(asked review) [][]string {
	isOf := func(value string) bool {
		return there().isOfProject(asked, []string{value}) && !here().isOfProject(asked, []string{value})
	}
	var found [][]string
	if g.entry.Users != nil {
		for place, value := range g.entry.Users.Projects {
			if isOf(value) {
				found = append(found, []string{fmt.Sprintf("[%d].users.projects[%d]", g.index, place)})
			}
		}
	}
	if g.key != nil {
		return found // `match` does not restrict version 2
	}
	return append(found, g.placesInMatch(func(c condition, value string) bool {
		return c.Type == "project" && !slices.Contains(c.Values, "*") && isOf(value)
	})...)
}

func (g grant) placesInMatch(isMeant func(condition, string) bool) [][]string {
	var found [][]string
	for index, c := range g.entry.Match {
		for place, value := range c.Values {
			if isMeant(c, value) {
				found = append(found, []string{fmt.Sprintf("[%d].match[%d].values[%d]", g.index, index, place)})
			}
		}
	}
	return found
}
