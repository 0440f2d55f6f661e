package vxlan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"

	"lab.ciliumship.dev/cilium/pkg/nodes"
)

// Sync makes the node's own first pod address that of the device, and leaves exactly the routes to
// the other nodes. It may be called again at any time.
func Sync(device netlink.Link, own netip.Prefix, peers []nodes.Node) error {
	if err := setAddress(device, own.Addr()); err != nil {
		return fmt.Errorf("address of %s: %w", Name, err)
	}
	wanted := map[string]bool{}
	for _, peer := range peers {
		for _, cidr := range peer.PodCIDRs {
			wanted[cidr.String()] = true
			if err := reach(device, peer.Address, cidr); err != nil {
				return fmt.Errorf("way to %s by %s: %w", cidr, peer.Name, err)
			}
		}
	}
	return removeOthers(device, wanted)
}

func setAddress(device netlink.Link, own netip.Addr) error {
	wanted := &netlink.Addr{IPNet: network(netip.PrefixFrom(own, 32))}
	found, err := netlink.AddrList(device, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for i := range found {
		if !found[i].Equal(*wanted) {
			if err := netlink.AddrDel(device, &found[i]); err != nil {
				return err
			}
		}
	}
	return netlink.AddrReplace(device, wanted)
}

// reach routes a range to the first address in it, says that this is the peer's hardware address,
// and that frames to that go to the peer.
func reach(device netlink.Link, peer netip.Addr, cidr netip.Prefix) error {
	index, hardware, gateway := device.Attrs().Index, hardwareAddress(peer), cidr.Addr().AsSlice()
	forward := &netlink.Neigh{
		LinkIndex: index, Family: syscall.AF_BRIDGE, Flags: netlink.NTF_SELF,
		State: netlink.NUD_PERMANENT, IP: peer.AsSlice(), HardwareAddr: hardware,
	}
	neighbour := &netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: gateway, HardwareAddr: hardware}
	return errors.Join(
		netlink.NeighSet(forward),
		netlink.NeighSet(neighbour),
		netlink.RouteReplace(&netlink.Route{
			LinkIndex: index, Dst: network(cidr), Gw: gateway, Flags: int(netlink.FLAG_ONLINK),
		}),
	)
}

func removeOthers(device netlink.Link, wanted map[string]bool) error {
	routes, err := netlink.RouteList(device, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for i := range routes {
		if routes[i].Dst != nil && !wanted[routes[i].Dst.String()] {
			if err := netlink.RouteDel(&routes[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func network(cidr netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: cidr.Addr().AsSlice(), Mask: net.CIDRMask(cidr.Bits(), 32)}
}
