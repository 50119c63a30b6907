/* Copyright (c) 2026 vya.backupdb contributors
 * GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded into the process under test: it counts calls by class, and lets one of them fail, fall short, or be the
 * moment of a signal. Only calls count that concern a watched folder or a watched server; nothing else is touched, so
 * that "the 17th write" is a write of the work itself. Programs that the process starts are not preloaded.
 *
 * The order of the classes is that of CLASSES in shim.py.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum call { WRITE, FSYNC, RENAME, MKDIR, CREATE, UNLINK, FLOCK, FTRUNCATE, OPEN, READ, LIST, SEND, RECV, CONNECT, CLOCK, CALLS };
enum deed { NOTHING, FAIL, SHORT, SIGNAL, LEAP };

#define FOLDERS 4
#define SOCKETS 4096

static char folders[FOLDERS][PATH_MAX];
static int ports[FOLDERS];
static unsigned char is_watched_socket[SOCKETS];
static long counts[CALLS];
static int armed_call = -1, armed_deed = NOTHING, armed_value, armed_always, hits, counting;
static long armed_number, leap;

/* -- what the suite calls ------------------------------------------------------------------------------------------ */

void chaos_watch(const char *folder, int slot) { snprintf(folders[slot], PATH_MAX, "%s", folder); }
void chaos_port(int port, int slot) { ports[slot] = port; }

void chaos_arm(int call, long number, int deed, int value, int always) {
    memset(counts, 0, sizeof counts);
    armed_call = call, armed_number = number, armed_deed = deed, armed_value = value, armed_always = always;
    hits = 0, leap = 0, counting = 1;
}

void chaos_disarm(void) { counting = 0, leap = 0; }
long chaos_count(int call) { return counts[call]; }
int chaos_hits(void) { return hits; }

/* -- what counts --------------------------------------------------------------------------------------------------- */

static int watched_path(const char *path) {
    for (int i = 0; i < FOLDERS; i++)
        if (folders[i][0] && strncmp(path, folders[i], strlen(folders[i])) == 0) return 1;
    return 0;
}

static int watched_fd(int fd) {
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlink, name, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return watched_path(path);
}

static int watched_at(int folder, const char *path) {
    if (!counting || path == NULL) return 0;
    int before = errno;
    int found = path[0] == '/' || folder == AT_FDCWD ? watched_path(path) : watched_fd(folder);
    errno = before;
    return found;
}

static int watched(int fd) {
    if (!counting) return 0;
    int before = errno, found = watched_fd(fd);
    errno = before;
    return found;
}

static int watched_socket(int fd) { return counting && fd >= 0 && fd < SOCKETS && is_watched_socket[fd]; }

/* Count a call. FAIL: errno is set, and the caller returns its failure. SHORT: it does half. A signal is sent here. */
static int due(enum call call) {
    long number = __atomic_add_fetch(&counts[call], 1, __ATOMIC_SEQ_CST);
    if (armed_call != (int)call || !(number == armed_number || (armed_always && number > armed_number))) return NOTHING;
    __atomic_add_fetch(&hits, 1, __ATOMIC_SEQ_CST);
    if (armed_deed == SIGNAL) {
        kill(getpid(), armed_value);
        return NOTHING;
    }
    if (armed_deed == LEAP) leap = armed_value;
    if (armed_deed == FAIL) errno = armed_value;
    return armed_deed;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, #name)

/* -- files --------------------------------------------------------------------------------------------------------- */

static int opened(int folder, const char *path, int flags, mode_t mode) {
    REAL(openat64);
    if (watched_at(folder, path) && due(flags & O_CREAT ? CREATE : OPEN) == FAIL) return -1;
    return real(folder, path, flags, mode);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }

#define WITH_LENGTH(type, name, call, signature, arguments, shorter) \
    type name signature { \
        REAL(name); \
        if (watched(fd)) { \
            int what = due(call); \
            if (what == FAIL) return -1; \
            if (what == SHORT && count > 1) return real shorter; \
        } \
        return real arguments; \
    }

WITH_LENGTH(ssize_t, write, WRITE, (int fd, const void *data, size_t count), (fd, data, count), (fd, data, count / 2))
WITH_LENGTH(ssize_t, read, READ, (int fd, void *data, size_t count), (fd, data, count), (fd, data, count / 2))
WITH_LENGTH(ssize_t, pwrite64, WRITE, (int fd, const void *data, size_t count, off64_t at), (fd, data, count, at), (fd, data, count / 2, at))
WITH_LENGTH(ssize_t, pread64, READ, (int fd, void *data, size_t count, off64_t at), (fd, data, count, at), (fd, data, count / 2, at))

#define ON_FD(name, call, signature, arguments) \
    int name signature { \
        REAL(name); \
        if (watched(fd) && due(call) == FAIL) return -1; \
        return real arguments; \
    }

ON_FD(fsync, FSYNC, (int fd), (fd))
ON_FD(fdatasync, FSYNC, (int fd), (fd))
ON_FD(flock, FLOCK, (int fd, int operation), (fd, operation))
ON_FD(ftruncate, FTRUNCATE, (int fd, off_t length), (fd, length))
ON_FD(ftruncate64, FTRUNCATE, (int fd, off64_t length), (fd, length))

#define ON_PATH(name, call, folder, path, signature, arguments) \
    int name signature { \
        REAL(name); \
        if (watched_at(folder, path) && due(call) == FAIL) return -1; \
        return real arguments; \
    }

ON_PATH(rename, RENAME, AT_FDCWD, from, (const char *from, const char *to), (from, to))
ON_PATH(renameat, RENAME, folder, from, (int folder, const char *from, int other, const char *to), (folder, from, other, to))
ON_PATH(renameat2, RENAME, folder, from, (int folder, const char *from, int other, const char *to, unsigned int flags), (folder, from, other, to, flags))
ON_PATH(link, RENAME, AT_FDCWD, from, (const char *from, const char *to), (from, to))
ON_PATH(linkat, RENAME, folder, from, (int folder, const char *from, int other, const char *to, int flags), (folder, from, other, to, flags))
ON_PATH(mkdir, MKDIR, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
ON_PATH(mkdirat, MKDIR, folder, path, (int folder, const char *path, mode_t mode), (folder, path, mode))
ON_PATH(unlink, UNLINK, AT_FDCWD, path, (const char *path), (path))
ON_PATH(rmdir, UNLINK, AT_FDCWD, path, (const char *path), (path))
ON_PATH(unlinkat, UNLINK, folder, path, (int folder, const char *path, int flags), (folder, path, flags))

DIR *opendir(const char *path) {
    REAL(opendir);
    if (watched_at(AT_FDCWD, path) && due(LIST) == FAIL) return NULL;
    return real(path);
}

DIR *fdopendir(int fd) {
    REAL(fdopendir);
    if (watched(fd) && due(LIST) == FAIL) return NULL;
    return real(fd);
}

/* -- servers ------------------------------------------------------------------------------------------------------- */

static int watched_address(const struct sockaddr *address) {
    if (address->sa_family == AF_UNIX) return watched_path(((const struct sockaddr_un *)address)->sun_path);
    if (address->sa_family != AF_INET) return 0;
    int port = ntohs(((const struct sockaddr_in *)address)->sin_port);
    for (int i = 0; i < FOLDERS; i++)
        if (ports[i] && ports[i] == port) return 1;
    return 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    REAL(connect);
    int found = counting && watched_address(address);
    if (fd >= 0 && fd < SOCKETS) is_watched_socket[fd] = (unsigned char)found;
    if (found && due(CONNECT) == FAIL) return -1;
    return real(fd, address, length);
}

/* A connection that was lost stays lost, whatever is asked of it next. An errno of 0: the other side has closed it. */
static ssize_t lost(int fd) {
    if (armed_value != EINTR) shutdown(fd, SHUT_RDWR);
    errno = armed_value;
    return armed_value == 0 ? 0 : -1;
}

ssize_t send(int fd, const void *data, size_t count, int flags) {
    REAL(send);
    if (watched_socket(fd)) {
        int what = due(SEND);
        if (what == FAIL) return lost(fd);
        if (what == SHORT && count > 1) count /= 2;
    }
    return real(fd, data, count, flags);
}

ssize_t recv(int fd, void *data, size_t count, int flags) {
    REAL(recv);
    if (watched_socket(fd)) {
        int what = due(RECV);
        if (what == FAIL) return lost(fd);
        if (what == SHORT && count > 1) count = 1;
    }
    return real(fd, data, count, flags);
}

/* -- clocks -------------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (counting && status == 0 && clock == CLOCK_REALTIME) {
        due(CLOCK);
        time->tv_sec += leap;
    }
    return status;
}
