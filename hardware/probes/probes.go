// Package probes embeds the templates of Modbus and analog probes, so that the gateway has them without files beside it.
//
// The files of this folder come in at build time; an fs.FS with <id>.yaml goes out. gateway/sense/probe reads them; README.md
// says how a template is added.
package probes

import "embed"

//go:embed *.yaml
var files embed.FS

// Files returns the templates, each named <id>.yaml.
func Files() embed.FS { return files }
