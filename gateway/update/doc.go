// Package update puts another version of its program in a gateway's hands, and takes it away again when it does not report
// in.
//
// Which version is wanted, a release signed by the program's maker and a file served by the co-op's server come in; which
// program is to run, and what became of the wish, goes out. FORMAT.md has the bytes, README.md the decisions.
//
//   - Store is the folder data_dir/program: the programs that came, and State, what is remembered of them.
//   - Updater works in the running gateway: it fetches what is wanted, checks it, and asks to be replaced by it.
//   - Store.Choose says at a start which program is to run: this one, another that is in force, or one on trial.
//   - Trial runs a program on trial as a child of the one before, until a receipt of the server proves that it reports, or it
//     failed. Parent is the other end of it: how a program on trial speaks to the one before.
//   - CreateKey, Sign and Keys are the maker's.
package update
