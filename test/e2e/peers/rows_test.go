package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// row names one deliberate difference, in the words of the left column of the policy language's table of differences.
type row string

const (
	rowSubresources row = "v2 ignores subresources"
	rowProjects     row = "project ids and names are one list, whatever the domain"
	rowPanic        row = "v1 without version or namespace, or a null entry, panics and cuts the connection"
	rowAnyExtra     row = "a principal with any extra counts as a Keystone user"
	rowMistyped     row = "a mistyped entry is installed and widens the grant"
	rowReason       row = "the reason is computed and dropped"

	// What the text below the table settles, and the contract it refers to.
	rowUnusable  row = "settled: keys that cannot be used never match"
	rowNulls     row = "settled: null, and keys in another case, are faults"
	rowVariables row = "settled: a $… left in a document is a fault"
	rowUserIDs   row = "contract, ids and names: no user name passes as an id"
)

// ofRequests are the rows by which a verdict differs under a document that is in order here. When several of them would each explain a
// difference, the first one names it.
var ofRequests = []row{rowAnyExtra, rowProjects, rowUserIDs, rowUnusable, rowSubresources}

// ofDocuments are the rows by which a document is refused here.
var ofDocuments = []row{rowPanic, rowMistyped, rowNulls, rowVariables}

// ofObjectForm are the rows that the list form does not know: the peer cannot read the object form.
var ofObjectForm = []row{
	"v2 has no API group",
	"v2 non-resource paths are exact",
	"v2 users without projects matches nobody",
	"match type user never sees the uid",
	"case: request values are compared unlowered in v2",
	"never an explicit deny",
}

// tally counts differences by row; alone are those that no other row would explain.
type tally struct{ all, alone map[row]int }

func newTally() tally { return tally{map[row]int{}, map[row]int{}} }

func (c tally) add(because explanation) {
	c.all[because.row]++
	if because.alone {
		c.alone[because.row]++
	}
}

// report prints the table and fails for every row that was never met by itself.
func (c tally) report(t *testing.T) {
	t.Helper()
	var table strings.Builder
	line := func(name row, all, alone string) { fmt.Fprintf(&table, "  %-82s %8s %8s\n", name, all, alone) }
	line("row", "all", "alone")
	for _, name := range append(append([]row{rowReason}, ofRequests...), ofDocuments...) {
		line(name, fmt.Sprint(c.all[name]), fmt.Sprint(c.alone[name]))
		if c.alone[name] == 0 {
			t.Errorf("never met: %s", name)
		}
	}
	for _, name := range ofObjectForm {
		line(name, "object", "form")
	}
	t.Logf("differences by row:\n%s", table.String())
}

// reportNamed prints how often an import named a difference by each row. Fewer reviews meet them than differ where a whole document is
// refused, so that only the rows of requests are sure to be met.
func reportNamed(t *testing.T, named map[row]int) {
	t.Helper()
	var table strings.Builder
	for _, name := range append(append([]row{}, ofRequests...), ofDocuments...) {
		fmt.Fprintf(&table, "  %-82s %8d\n", name, named[name])
		if named[name] == 0 && slices.Contains(ofRequests, name) {
			t.Errorf("never met after an import: %s", name)
		}
	}
	t.Logf("differences that the import named, by row:\n%s", table.String())
}
