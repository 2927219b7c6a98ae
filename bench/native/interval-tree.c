/*
 * The yardstick for the interval tree: a red-black tree augmented with the greatest end of each subtree, from the
 * textbook [1], compiled with -O2. It does the same seeded work as bench/peers/tree-work.ts and must find the same
 * intervals, so the two times can be divided by each other.
 *
 *   cc -O2 -o interval-tree interval-tree.c && ./interval-tree 1024 30000
 *
 * prints: n, ns per remove + insert, ns per overlap test, ns per visit of all in a window, hits, sum of the starts of
 * all that were visited, bytes per interval.
 *
 * In favour of C: nodes come from one block, a removed node is reused at once, nothing is checked.
 *
 * [1] Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, chapters "Red-Black Trees" and "Augmenting Data
 *     Structures" (interval trees).
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct node {
  struct node *left, *right, *parent;
  double start, end, max;
  int red;
} node;

static node nil_node = {&nil_node, &nil_node, &nil_node, 0, 0, -1.0 / 0.0, 0};
#define NIL (&nil_node)
static node *root = NIL;

static double max_of(const node *x) {
  double max = x->end;
  if (x->left->max > max) max = x->left->max;
  if (x->right->max > max) max = x->right->max;
  return max;
}

/* Puts b where a hangs. */
static void replace(node *a, node *b) {
  if (a->parent == NIL) root = b;
  else if (a == a->parent->left) a->parent->left = b;
  else a->parent->right = b;
  b->parent = a->parent;
}

static void rotate_left(node *x) {
  node *y = x->right;
  x->right = y->left;
  if (y->left != NIL) y->left->parent = x;
  replace(x, y);
  y->left = x;
  x->parent = y;
  y->max = x->max;
  x->max = max_of(x);
}

static void rotate_right(node *x) {
  node *y = x->left;
  x->left = y->right;
  if (y->right != NIL) y->right->parent = x;
  replace(x, y);
  y->right = x;
  x->parent = y;
  y->max = x->max;
  x->max = max_of(x);
}

static void insert(node *z) {
  node *up = NIL, *x = root;
  while (x != NIL) {
    up = x;
    if (x->max < z->end) x->max = z->end;
    x = z->start < x->start ? x->left : x->right;
  }
  z->parent = up;
  z->left = z->right = NIL;
  z->max = z->end;
  z->red = 1;
  if (up == NIL) root = z;
  else if (z->start < up->start) up->left = z;
  else up->right = z;

  while (z->parent->red) {
    node *p = z->parent, *g = p->parent;
    if (p == g->left) {
      node *uncle = g->right;
      if (uncle->red) {
        p->red = uncle->red = 0;
        g->red = 1;
        z = g;
      } else {
        if (z == p->right) rotate_left(z = p);
        z->parent->red = 0;
        g->red = 1;
        rotate_right(g);
      }
    } else {
      node *uncle = g->left;
      if (uncle->red) {
        p->red = uncle->red = 0;
        g->red = 1;
        z = g;
      } else {
        if (z == p->left) rotate_right(z = p);
        z->parent->red = 0;
        g->red = 1;
        rotate_left(g);
      }
    }
  }
  root->red = 0;
}

static void erase(node *z) {
  node *x, *from;
  int black = !z->red;
  if (z->left == NIL) {
    x = z->right;
    replace(z, x);
    from = z->parent;
  } else if (z->right == NIL) {
    x = z->left;
    replace(z, x);
    from = z->parent;
  } else {
    node *y = z->right;
    while (y->left != NIL) y = y->left;
    black = !y->red;
    x = y->right;
    if (y->parent == z) {
      x->parent = y;
      from = y;
    } else {
      from = y->parent;
      replace(y, x);
      y->right = z->right;
      y->right->parent = y;
    }
    replace(z, y);
    y->left = z->left;
    y->left->parent = y;
    y->red = z->red;
    y->max = z->max;
    /* y took the place of z: everything from `from` up to y and above is brought up to date below. */
    for (node *p = from; p != y; p = p->parent) p->max = max_of(p);
    from = y;
  }
  for (; from != NIL; from = from->parent) {
    double max = max_of(from);
    if (max == from->max) break;
    from->max = max;
  }
  if (!black) return;
  while (x != root && !x->red) {
    if (x == x->parent->left) {
      node *w = x->parent->right;
      if (w->red) {
        w->red = 0;
        x->parent->red = 1;
        rotate_left(x->parent);
        w = x->parent->right;
      }
      if (!w->left->red && !w->right->red) {
        w->red = 1;
        x = x->parent;
      } else {
        if (!w->right->red) {
          w->left->red = 0;
          w->red = 1;
          rotate_right(w);
          w = x->parent->right;
        }
        w->red = x->parent->red;
        x->parent->red = 0;
        w->right->red = 0;
        rotate_left(x->parent);
        x = root;
      }
    } else {
      node *w = x->parent->left;
      if (w->red) {
        w->red = 0;
        x->parent->red = 1;
        rotate_right(x->parent);
        w = x->parent->left;
      }
      if (!w->left->red && !w->right->red) {
        w->red = 1;
        x = x->parent;
      } else {
        if (!w->left->red) {
          w->right->red = 0;
          w->red = 1;
          rotate_left(w);
          w = x->parent->left;
        }
        w->red = x->parent->red;
        x->parent->red = 0;
        w->left->red = 0;
        rotate_right(x->parent);
        x = root;
      }
    }
  }
  x->red = 0;
}

static int overlaps(double start, double end) {
  node *x = root;
  while (x != NIL && !(x->start < end && start < x->end)) x = x->left->max > start ? x->left : x->right;
  return x != NIL;
}

/* The starts of all that overlap, added up: what a visitor in the TypeScript half does. */
static uint32_t sum_of_starts(const node *x, double start, double end) {
  uint32_t sum = 0;
  while (x != NIL && x->max > start) {
    sum += sum_of_starts(x->left, start, end);
    if (x->start >= end) break;
    if (x->end > start) sum += (uint32_t)x->start;
    x = x->right;
  }
  return sum;
}

/* xorshift32, the same as in the TypeScript half. */
static uint32_t state = 2463534242u;
static inline uint32_t draw(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* An interval: 64 n numbers of space, lengths 1 to 64, so a number is covered about once every two. */
static inline void place(node *x, uint32_t mask) {
  uint32_t r = draw();
  x->start = r & mask;
  x->end = x->start + 1 + (r >> 26);
}

/* See WINDOW in the TypeScript half. */
static const double window = 608;

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: %s intervals(power of two) operations\n", arguments[0]);
    return 2;
  }
  const uint32_t n = strtoul(arguments[1], 0, 10), operations = strtoul(arguments[2], 0, 10), mask = 64 * n - 1;
  node *nodes = malloc(n * sizeof *nodes);
  if (nodes == NULL || n == 0 || (n & (n - 1)) != 0) return 2;
  for (uint32_t i = 0; i < n; i++) {
    place(&nodes[i], mask);
    insert(&nodes[i]);
  }
  double churn = 1.0 / 0.0, test = 1.0 / 0.0, visit = 1.0 / 0.0;
  uint32_t hits = 0, sum = 0;
  /* Twenty rounds, the best of each. With few operations, a round fits between two interruptions by other programs. */
  for (int round = 0; round < 20; round++) {
    double begin = now();
    for (uint32_t i = 0; i < operations; i++) {
      node *x = &nodes[draw() & (n - 1)];
      erase(x);
      place(x, mask);
      insert(x);
    }
    double middle = now();
    for (uint32_t i = 0; i < operations; i++) {
      uint32_t r = draw();
      double start = r & mask;
      hits += overlaps(start, start + 1 + (r >> 26));
    }
    double after = now();
    for (uint32_t i = 0; i < operations; i++) {
      double start = draw() & mask;
      sum += sum_of_starts(root, start, start + window);
    }
    double end = now();
    if (middle - begin < churn) churn = middle - begin;
    if (after - middle < test) test = after - middle;
    if (end - after < visit) visit = end - after;
  }
  printf("%u %.2f %.2f %.2f %u %u %zu\n", n, churn / operations, test / operations, visit / operations, hits, sum,
         sizeof(node));
  free(nodes);
  return 0;
}
