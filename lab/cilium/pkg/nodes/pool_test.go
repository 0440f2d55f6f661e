package nodes

import (
	"net/netip"
	"testing"
)

func prefixes(texts ...string) []netip.Prefix {
	var found []netip.Prefix
	for _, text := range texts {
		found = append(found, netip.MustParsePrefix(text))
	}
	return found
}

func TestTheFirstFreeRangeIsGiven(t *testing.T) {
	for name, c := range map[string]struct {
		pools, used []netip.Prefix
		wanted      string
	}{
		"an empty pool":              {prefixes("10.42.0.0/16"), nil, "10.42.0.0/24"},
		"a gap":                      {prefixes("10.42.0.0/16"), prefixes("10.42.0.0/24", "10.42.2.0/24"), "10.42.1.0/24"},
		"a larger range in use":      {prefixes("10.42.0.0/16"), prefixes("10.42.0.0/23"), "10.42.2.0/24"},
		"a full pool before another": {prefixes("10.42.0.0/24", "10.43.0.0/24"), prefixes("10.42.0.0/24"), "10.43.0.0/24"},
		"a pool of the last address": {prefixes("255.255.255.0/24", "10.0.0.0/24"), prefixes("255.255.255.0/24"), "10.0.0.0/24"},
	} {
		got, err := Allocate(c.pools, 24, c.used)
		if err != nil || got.String() != c.wanted {
			t.Errorf("%s: got %v, %v; wanted %s", name, got, err, c.wanted)
		}
	}
}

func TestAFullPoolIsAnError(t *testing.T) {
	for _, pool := range []string{"10.42.0.0/24", "10.42.0.0/25"} {
		if got, err := Allocate(prefixes(pool), 24, prefixes("10.42.0.0/24")); err == nil {
			t.Errorf("%s: got %v, wanted an error", pool, got)
		}
	}
}
