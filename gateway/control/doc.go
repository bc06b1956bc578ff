// Package control is how another program on the same machine asks the running gateway to do something.
//
// HTTP requests come in over a Unix socket in the gateway's data folder (mode 0600: who may read the gateway's key may ask
// it), JSON goes out. This package opens, serves and calls; what there is to ask is mounted by gateway/app. FORMAT.md
// specifies the socket and the shape of answers and errors.
package control
