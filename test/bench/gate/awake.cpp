// Never sleeps, and gives way to everybody (as SCHED_IDLE, which run.py starts it with): a virtual processor
// that has nothing to do is taken away, and comes back slow, with others' data in its caches. A gate that
// waits for a disk would seem to need more time for the same work than one that is always busy.

#include <immintrin.h>

int main()
{
    for (;;)
        _mm_pause();
}
