package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// w1Folder is where the kernel shows its 1-Wire masters and what hangs on them.
const w1Folder = "/sys/bus/w1/devices"

// buses wants every bus of the configuration to be there and open to the gateway's user.
func (p *Patient) buses(context.Context) []Finding {
	var out []Finding
	for _, b := range p.Buses {
		check := "bus " + b.Name
		switch {
		case strings.HasPrefix(b.I2C, "unix:"):
			out = append(out, socket(check, strings.TrimPrefix(b.I2C, "unix:")))
		case b.I2C != "":
			if device := i2cDevice(b.I2C); device != "" {
				out = append(out, p.device(check, device, "i2c", "switch I²C on: dtparam=i2c_arm=on in /boot/firmware/config.txt and i2c-dev in /etc/modules, then reboot"))
			}
		case b.W1 != "":
			out = append(out, p.oneWire(check, b.W1))
		case b.OneWire != "":
			out = append(out, p.oneWire(check, w1Folder))
		case b.Serial != "":
			out = append(out, p.device(check, b.Serial, "dialout", "plug the adapter in (ls /dev/serial/by-id shows its name), or switch the UART on: enable_uart=1 in /boot/firmware/config.txt, then reboot"))
		}
	}
	return out
}

// i2cDevice returns the device file of a bus of this machine, "" for a name only a driver knows.
func i2cDevice(name string) string {
	digits := strings.TrimPrefix(strings.TrimPrefix(name, "I2C"), "/dev/i2c-")
	if _, err := strconv.ParseUint(digits, 10, 16); err != nil {
		return ""
	}
	return "/dev/i2c-" + digits
}

func socket(check, path string) Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(check, "start what serves it: firmware-sim serve", "no socket at %s", path)
	case err != nil:
		return bad(check, "let the gateway's user reach the socket", "%v", err)
	case info.Mode().Type() != fs.ModeSocket:
		return bad(check, "name the socket that the simulator makes", "%s is no socket", path)
	}
	return ok(check, "%s is there", path)
}

func (p *Patient) device(check, device, group, mend string) Finding {
	path := device
	if strings.HasPrefix(device, "/dev/") {
		path = p.at(device)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(check, mend, "%s does not exist", device)
	case err != nil:
		return bad(check, mend, "%v", err)
	case !p.mayUse(info):
		return bad(check, fmt.Sprintf("sudo usermod -aG %s %s, then restart the gateway", p.groupName(ownerGroup(info), group), p.userName(p.User)),
			"%s (mode %04o, group %s) may not be opened by user %s", device, info.Mode().Perm(), p.groupName(ownerGroup(info), "?"), p.userName(p.User))
	}
	return ok(check, "%s is there and may be opened", device)
}

// mayUse reports whether the gateway's user may read and write a device file.
func (p *Patient) mayUse(info fs.FileInfo) bool {
	uid, mode := p.User, info.Mode().Perm()
	switch {
	case uid <= 0 || mode&0o006 == 0o006: // root, or nobody knows who
		return true
	case ownerOf(info) == uid:
		return mode&0o600 == 0o600
	}
	return mode&0o060 == 0o060 && slices.Contains(p.groupsOf(uid), ownerGroup(info))
}

// groupsOf returns the groups of a user, from etc/passwd and etc/group.
func (p *Patient) groupsOf(uid int) (gids []int) {
	name := p.userName(uid)
	for f := range p.table("etc/passwd") {
		if gid, err := strconv.Atoi(f[3]); err == nil && f[2] == strconv.Itoa(uid) {
			gids = append(gids, gid)
		}
	}
	for f := range p.table("etc/group") {
		if gid, err := strconv.Atoi(f[2]); err == nil && slices.Contains(strings.Split(f[3], ","), name) {
			gids = append(gids, gid)
		}
	}
	return gids
}

func (p *Patient) userName(uid int) string { return p.nameIn("etc/passwd", uid, strconv.Itoa(uid)) }
func (p *Patient) groupName(gid int, otherwise string) string {
	return p.nameIn("etc/group", gid, otherwise)
}

func (p *Patient) nameIn(file string, id int, otherwise string) string {
	for f := range p.table(file) {
		if f[2] == strconv.Itoa(id) {
			return f[0]
		}
	}
	return otherwise
}

// table gives the lines of passwd and group that have four fields or more.
func (p *Patient) table(file string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		lines := bufio.NewScanner(strings.NewReader(p.read(file)))
		for lines.Scan() {
			if f := strings.Split(lines.Text(), ":"); len(f) >= 4 && !yield(f) {
				return
			}
		}
	}
}

// oneWire wants the kernel's folder, a master in it, and something on its wire.
func (p *Patient) oneWire(check, folder string) Finding {
	const on = "switch 1-Wire on: dtoverlay=w1-gpio in /boot/firmware/config.txt, then reboot"
	path := folder
	if strings.HasPrefix(folder, "/sys/") {
		path = p.at(folder)
	}
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(check, on, "no folder %s", folder)
	case err != nil:
		return bad(check, "let the gateway's user read it", "%v", err)
	}
	masters, devices := 0, 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "w1_bus_master") {
			masters++
		} else if family, _, ok := strings.Cut(e.Name(), "-"); ok && len(family) == 2 {
			devices++
		}
	}
	switch {
	case masters == 0 && strings.HasPrefix(folder, "/sys/"):
		return bad(check, on, "%s has no master: no pin is a 1-Wire bus", folder)
	case devices == 0:
		return bad(check, "check the wires (data to GPIO 4, 4.7 kΩ from data to 3.3 V, ground) and the plugs", "nothing on the wire of %s", folder)
	}
	return ok(check, "%s: %d on the wire", folder, devices)
}

// boot compares what the buses need with what the firmware was told.
func (p *Patient) boot(context.Context) []Finding {
	const check = "boot settings"
	file := "boot/firmware/config.txt"
	if !p.exists(file) {
		file = "boot/config.txt" // before Raspberry Pi OS 12
	}
	if !p.exists(file) {
		return nil // no Raspberry Pi
	}
	set := bootSettings(p.read(file))
	var out []Finding
	miss := func(line, why string) {
		out = append(out, bad(check, "add the line "+line+" to /"+file+", then reboot", "%s", why))
	}
	for _, b := range p.Buses {
		switch {
		case (b.I2C == "1" || b.I2C == "/dev/i2c-1") && !set("dtparam", "i2c_arm=on", "i2c=on") && !p.exists("dev/i2c-1"):
			miss("dtparam=i2c_arm=on", "I²C is switched off")
		case (strings.HasPrefix(b.W1, "/sys/") || b.OneWire != "") && !set("dtoverlay", "w1-gpio") && !p.exists(filepath.Join(w1Folder, "w1_bus_master1")):
			miss("dtoverlay=w1-gpio", "1-Wire is switched off")
		case isUART(b.Serial) && !set("enable_uart", "1") && !p.exists(b.Serial):
			miss("enable_uart=1", "the serial port is switched off")
		}
		if isUART(b.Serial) && p.console() {
			out = append(out, bad(check, "remove console=serial0,115200 from /boot/firmware/cmdline.txt (raspi-config, Interface Options, Serial Port: no login shell), then reboot",
				"the kernel talks on the serial port of bus %s", b.Name))
		}
		if strings.HasPrefix(i2cDevice(b.I2C), "/dev/i2c-") && !p.exists("dev/"+filepath.Base(i2cDevice(b.I2C))) && !p.exists("sys/module/i2c_dev") {
			out = append(out, bad(check, "put i2c-dev into /etc/modules, then: sudo modprobe i2c-dev", "the kernel module i2c-dev is not loaded"))
		}
		if strings.HasPrefix(b.W1, "/sys/") && p.exists("sys/module/w1_gpio") && !p.exists("sys/module/w1_therm") {
			out = append(out, bad(check, "put w1-therm into /etc/modules, then: sudo modprobe w1-therm", "the kernel module w1-therm is not loaded: thermometers have no file"))
		}
	}
	if len(out) == 0 {
		out = append(out, ok(check, "/%s has what the buses need", file))
	}
	return out
}

func isUART(device string) bool {
	return slices.Contains([]string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"}, device)
}

// console reports whether the kernel prints on the Raspberry Pi's own serial port.
func (p *Patient) console() bool {
	for word := range strings.FieldsSeq(p.read("proc/cmdline")) {
		for _, port := range []string{"serial0", "ttyAMA0", "ttyS0"} {
			if word == "console="+port || strings.HasPrefix(word, "console="+port+",") {
				return true
			}
		}
	}
	return false
}

// bootSettings reads config.txt: key=value lines, where dtparam and dtoverlay take lists of values.
func bootSettings(text string) func(key string, anyOf ...string) bool {
	values := map[string][]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = append(values[key], strings.Split(value, ",")...)
		}
	}
	return func(key string, anyOf ...string) bool {
		return slices.ContainsFunc(anyOf, func(v string) bool { return slices.Contains(values[key], v) })
	}
}
