/* Stands before the C library's ioctl in the ARM run: the emulator knows the calls of serial lines with the speeds of old
   (TCGETS, TCSETS) and not those with any speed (TCGETS2, TCSETS2), which every kernel of such a board has. A pseudo-terminal
   has no speed, so nothing is lost. Out of scope: everything else goes on as it came. */
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>

static int (*next)(int, unsigned long, ...);

static int get(int line, struct termios2 *wanted)
{
    struct termios known;
    if (next(line, TCGETS, &known) != 0)
        return -1;
    memset(wanted, 0, sizeof *wanted);
    memcpy(wanted, &known, sizeof known);
    wanted->c_ispeed = wanted->c_ospeed = 9600;
    return 0;
}

static int set(int line, unsigned long request, const struct termios2 *wanted)
{
    struct termios known;
    memcpy(&known, wanted, sizeof known);
    known.c_cflag = (known.c_cflag & ~(tcflag_t)CBAUD) | B9600;
    return next(line, TCSETS + (request - TCSETS2), &known);
}

int ioctl(int line, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (next == NULL)
        next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    /* The kernel looks at 32 bits; callers may have extended the sign. */
    switch ((unsigned int)request) {
    case TCGETS2:
        return get(line, argument);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return set(line, (unsigned int)request, argument);
    default:
        return next(line, request, argument);
    }
}
