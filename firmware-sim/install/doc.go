// Package install tries what is handed out as the person does who gets it: in, the Debian packages of .ci/dist; out, a Debian system booted with its own
// systemd and its own network in which they were installed, started, upgraded and removed. All of it is in the tests. They need root, mmdebstrap and
// systemd-nspawn (.ci/parts brings both), and a Linux whose control groups can be written.
package install
