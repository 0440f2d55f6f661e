package nodes

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Allocate returns the first range of the given size (in bits of its prefix) in the pools that
// overlaps none in use.
func Allocate(pools []netip.Prefix, bits int, used []netip.Prefix) (netip.Prefix, error) {
	for _, pool := range pools {
		for cidr := netip.PrefixFrom(pool.Addr(), bits); bits >= pool.Bits() && pool.Overlaps(cidr); cidr = next(cidr) {
			if !overlapsAny(cidr, used) {
				return cidr, nil
			}
		}
	}
	return netip.Prefix{}, fmt.Errorf("no /%d is left in %v (%d in use)", bits, pools, len(used))
}

func overlapsAny(cidr netip.Prefix, others []netip.Prefix) bool {
	for _, other := range others {
		if cidr.Overlaps(other) {
			return true
		}
	}
	return false
}

// next is the range after this one; past the last address it is one that overlaps nothing.
func next(cidr netip.Prefix) netip.Prefix {
	bytes := cidr.Addr().As4()
	start := uint64(binary.BigEndian.Uint32(bytes[:])) + 1<<(32-cidr.Bits())
	if start > 0xffffffff {
		return netip.Prefix{}
	}
	binary.BigEndian.PutUint32(bytes[:], uint32(start))
	return netip.PrefixFrom(netip.AddrFrom4(bytes), cidr.Bits())
}
