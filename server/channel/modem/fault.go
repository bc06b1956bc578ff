package modem

import (
	"errors"
	"fmt"

	"aovuon/server/watch/notify"
)

// Error is what a modem or the network answered to a command.
type Error struct {
	Kind string // +CMS ERROR (of messages), +CME ERROR (of the modem), ERROR
	Code int    // -1: none was given
}

func (e *Error) Error() string {
	if e.Code < 0 {
		return e.Kind
	}
	m, ok := e.meaning()
	if !ok {
		return fmt.Sprintf("%s %d", e.Kind, e.Code)
	}
	return fmt.Sprintf("%s %d: %s", e.Kind, e.Code, m.what)
}

// meaning is what a code says, and whether the same message to the same number will fail again. A SIM that is not there or locked counts as
// such: somebody must go there, and the alarm had better take another way.
type meaning struct {
	what  string
	final bool
}

func (e *Error) meaning() (meaning, bool) {
	table := cms()
	if e.Kind == "+CME ERROR" {
		table = cme()
	}
	m, ok := table[e.Code]
	return m, ok
}

// cms are the codes of 3GPP 24.011 annex E-2, 23.040 §9.2.3.22 and 27.005 §3.2.5 that senders meet.
func cms() map[int]meaning {
	return map[int]meaning{
		1:   {"this number is not in use", true},
		8:   {"the operator bars this SIM: is there credit on it?", true},
		10:  {"messages to this number are barred", true},
		21:  {"the network refused the message: is there credit on the SIM?", true},
		27:  {"the phone is out of service", false},
		28:  {"the network does not know this subscriber", true},
		29:  {"the network refuses this facility", true},
		30:  {"the network does not know this subscriber", true},
		38:  {"the network is out of order", false},
		41:  {"a passing failure of the network", false},
		42:  {"the network is congested", false},
		47:  {"the network has no resources", false},
		50:  {"this SIM has no message service: ask its operator", true},
		69:  {"the network does not know this facility", true},
		81:  {"the network lost the reference", false},
		95:  {"the network calls the message wrong", true},
		96:  {"the network misses a part of the message", true},
		97:  {"the network does not know this kind of message", true},
		98:  {"not in this state", false},
		99:  {"the network does not know a part of the message", true},
		111: {"a failure of the protocol", false},
		127: {"a failure between networks", false},
		143: {"the centre does not take this kind of message", true},
		145: {"the centre does not take this alphabet", true},
		192: {"the message centre is busy", false},
		193: {"no centre for this message", false},
		194: {"the message centre failed", false},
		195: {"this number is not known to the centre", true},
		196: {"the number is barred", true},
		300: {"the modem failed", false},
		301: {"the modem's message service is taken by another program", false},
		302: {"the modem does not allow it", false},
		303: {"the modem cannot do it", true},
		304: {"the modem does not take the message's form", true},
		305: {"the modem does not take the text's form", true},
		310: {"there is no SIM in the modem: put one in", true},
		311: {"the SIM asks for its PIN: set pin_file", true},
		312: {"the modem is locked to another SIM", true},
		313: {"the SIM failed", false},
		314: {"the SIM is busy", false},
		315: {"this SIM is the wrong one", true},
		316: {"the SIM is locked: its PUK must be typed in, in a phone", true},
		320: {"the modem's memory failed", false},
		322: {"the memory for messages is full", false},
		330: {"the number of the message centre is not set: set centre", true},
		331: {"there is no network here", false},
		332: {"the network did not answer in time", false},
		500: {"a failure that the modem does not name: is there credit on the SIM?", false},
	}
}

// cme are the codes of 3GPP 27.007 §9.2 that senders meet.
func cme() map[int]meaning {
	return map[int]meaning{
		3: {"the modem does not allow it", false}, 4: {"the modem cannot do it", true},
		10: {"there is no SIM in the modem: put one in", true}, 11: {"the SIM asks for its PIN: set pin_file", true},
		12: {"the SIM is locked: its PUK must be typed in, in a phone", true}, 13: {"the SIM failed", false}, 14: {"the SIM is busy", false},
		15: {"this SIM is the wrong one", true}, 16: {"wrong PIN", true}, 30: {"there is no network here", false},
		31: {"the network did not answer in time", false}, 32: {"emergency calls only: is there credit on the SIM?", false}, 100: {"a failure that the modem does not name", false},
	}
}

// judge makes of an answer what it means for a message.
func judge(err error) error {
	said, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	if m, known := said.meaning(); known && m.final {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}
