package broker

import (
	"fmt"
	"strings"

	"aovuon/gateway/wire"
)

// MosquittoACL returns the access list of a Mosquitto between gateways and servers. servers are the servers' user names: each is also a
// client id (MosquittoConf binds the two), so servers that work at the same time need one each.
func MosquittoACL(servers ...string) string {
	var b strings.Builder
	b.WriteString("# Written by: server broker acl\n# A gateway's user name is its id, and its client id.\n")
	for _, s := range servers {
		fmt.Fprintf(&b, "user %s\ntopic readwrite %s\n", s, strings.TrimSuffix(wire.Topic("+", "+"), "+/+")+"#")
	}
	for _, leaf := range []string{wire.LeafBatch, wire.LeafStatus} {
		fmt.Fprintf(&b, "pattern write %s\n", wire.Topic("%u", leaf))
	}
	for _, leaf := range []string{wire.LeafReceipt, wire.LeafDesired} {
		fmt.Fprintf(&b, "pattern read %s\n", wire.Topic("%u", leaf))
	}
	return b.String()
}

// MosquittoDevices returns what the access list says beside it of devices that cannot sign. reader is the user name under which the server reads their topics.
func MosquittoDevices(reader string) string {
	return fmt.Sprintf("user %s\ntopic read %s#\n# An intake's user name is its name.\npattern readwrite %s%%u/#\n", reader, DeviceTopics, DeviceTopics)
}

// MosquittoPassword is one line of a password file.
func MosquittoPassword(user, hash string) string { return user + ":" + hash + "\n" }

// MosquittoConf returns what mosquitto.conf must say beside its listener. dir is where the ACL and the passwords lie; empty: another
// file says so.
func MosquittoConf(dir string) string {
	var b strings.Builder
	b.WriteString("# Written by: server broker conf\nper_listener_settings false\nallow_anonymous false\n")
	if dir != "" {
		fmt.Fprintf(&b, "password_file %s/passwords\nacl_file %s/acl\n", dir, dir)
	}
	for _, line := range []string{
		"# The user name is the client id: nobody can take over another's session.", "use_username_as_clientid true", "allow_zero_length_clientid false",
		"# A batch with its topic and header; also before a client has named itself.", fmt.Sprintf("max_packet_size %d", MaxPayload),
		"# Nothing here needs QoS 2.", "max_qos 1",
		fmt.Sprintf("max_connections %d", defaultConnections),
		"# The server acknowledges after its commit: Mosquitto's 20 would be all it gets per commit.", "max_inflight_messages 1000",
		"# Beyond it Mosquitto drops silently; gateways then send again.", "max_queued_messages 10000",
	} {
		b.WriteString(line + "\n")
	}
	return b.String()
}
