package wire

// The words for what a program on trial did wrong, for what one that is wanted waits for, and for why it is refused
// (ProgramReport.Code).
const (
	CodeCrash   = "crash"   // it ended by itself, again and again
	CodeHang    = "hang"    // it lived and did not work
	CodeMute    = "mute"    // no receipt of the server came for what it sealed
	CodeBlind   = "blind"   // a bus that gave values gives none under it
	CodeStopped = "stopped" // the machine went down in every trial
	CodeDamaged = "damaged" // its bytes are not those of its release

	CodeClock    = "clock"     // nobody knows whether the release is over
	CodeLink     = "link"      // the program before does not get receipts itself
	CodeServer   = "server"    // no address of the server's pages is known
	CodeFetch    = "fetch"     // the server does not give it
	CodeDisk     = "disk"      // there is no room, or no writing
	CodeBusy     = "busy"      // a probe is being calibrated
	CodeKey      = "key"       // no key of the maker is known here
	CodeForged   = "signature" // not signed by the maker
	CodeExpired  = "expired"   // its time is over
	CodePlatform = "platform"  // for another kind of machine
	CodeOlder    = "older"     // not newer than what was in force here
	CodeFrom     = "from"      // there must be another version in between
	CodeFormat   = "format"    // the program before could not read its spool: there would be no way back
)

// ProgramCodes lists every word.
func ProgramCodes() []string {
	return []string{
		CodeCrash, CodeHang, CodeMute, CodeBlind, CodeStopped, CodeDamaged,
		CodeClock, CodeLink, CodeServer, CodeFetch, CodeDisk, CodeBusy, CodeKey, CodeForged, CodeExpired, CodePlatform, CodeOlder, CodeFrom, CodeFormat,
	}
}
