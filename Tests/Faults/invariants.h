/* What holds whatever fails: the one list. The checks of survivor.c, where calls fail, and those of
 * allocations.c, where memory is refused, say which of these they are of. That the process lives is
 * checked by whoever started it; that no memory leaks, or is used after it was freed, by
 * AddressSanitizer.
 */
#ifndef INVARIANTS_H
#define INVARIANTS_H

/* Of a call. */
#define ANSWER "a call that fails says so: a status that fits, an error with words"
#define AGAIN "the same call succeeds once nothing fails any more"

/* Of what is read. */
#define WHOLE "a snapshot is of one generation, whole"
#define STAYS "what is current stays until a newer version is"
#define FORWARD "versions only go up"

/* Of a change. */
#define DELIVERED "a change comes in the end, without being asked for"
#define TOLD "who subscribed hears of it, once, and in order"

/* Of a forked child. */
#define CHILD "a forked child reads at once what its parent saw"

/* Of the end. */
#define CLEAN "after the last watcher no descriptor is left"

#endif
