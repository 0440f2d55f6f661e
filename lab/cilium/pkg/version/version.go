// Package version says which build this is.
package version

import "strings"

// Set by the build: the content of the files VERSION and GIT_VERSION.
var (
	number = "unknown"
	commit = ""
)

// String is "NUMBER COMMIT DATE", as far as the build told.
func String() string {
	return strings.TrimSpace(number + " " + commit)
}
