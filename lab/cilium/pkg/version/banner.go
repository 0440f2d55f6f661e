package version

// Banner is what an agent says about itself, in its log and in its status. It is the line to change
// when you want to see a change of yours arrive on the nodes.
const Banner = "VXLAN acceleration by XDP, first edition"
