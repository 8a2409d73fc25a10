/* The floor: one model called in a loop on onnxruntime's C interface, with nothing around it.
 *
 * usage: floor LIBRARY MODEL SECONDS SPEC
 * As with the engine, a call shorter than 50 us is timed with as many others as fill that time.
 * SPEC is a text file of lines "in NAME TYPE RANK SIZE... FILE" and "out NAME": TYPE is ONNX's
 * number of the element type, FILE holds the raw values. Prints JSON. The functions are taken by
 * their place in OrtApi, to which versions only ever add at the end, so no header is needed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_VALUES 64
#define MAX_SAMPLES 20000000
#define WARM_UP_S 0.3
#define MIN_SAMPLE_S 50e-6

enum place {
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  CREATE_SESSION = 7,
  RUN = 9,
  CREATE_SESSION_OPTIONS = 10,
  SET_INTRA_OP_THREADS = 24,
  SET_INTER_OP_THREADS = 25,
  CREATE_TENSOR_WITH_DATA = 49,
  CREATE_CPU_MEMORY_INFO = 69,
};

typedef struct {
  void **(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} api_base;
typedef void *(*run_function)(void *, void *, const char **, void **, size_t, const char **, size_t,
                              void **);

static void **api;
static const char *in_names[MAX_VALUES], *out_names[MAX_VALUES];
static void *in_values[MAX_VALUES], *out_values[MAX_VALUES];
static size_t in_count, out_count;

static void check(void *status) {
  if (status == NULL) return;
  const char *(*message)(void *) = (const char *(*)(void *))api[GET_ERROR_MESSAGE];
  fprintf(stderr, "%s\n", message(status));
  exit(1);
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

static void *values_of(const char *path, size_t *byte_count) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(2);
  fseek(file, 0, SEEK_END);
  *byte_count = (size_t)ftell(file);
  rewind(file);
  void *values = malloc(*byte_count + 1);
  if (fread(values, 1, *byte_count, file) != *byte_count) exit(2);
  fclose(file);
  return values;
}

static void read_input(FILE *spec, void *memory) {
  char name[512], path[1024];
  int type, rank;
  int64_t shape[32];
  size_t byte_count;
  if (fscanf(spec, "%511s %d %d", name, &type, &rank) != 3 || rank > 32) exit(2);
  for (int index = 0; index < rank; index++)
    if (fscanf(spec, "%ld", &shape[index]) != 1) exit(2);
  if (fscanf(spec, "%1023s", path) != 1) exit(2);
  void *values = values_of(path, &byte_count);
  void *(*create)(void *, void *, size_t, const int64_t *, size_t, int, void **) =
      (void *(*)(void *, void *, size_t, const int64_t *, size_t, int, void **))
          api[CREATE_TENSOR_WITH_DATA];
  check(create(memory, values, byte_count, shape, (size_t)rank, type, &in_values[in_count]));
  in_names[in_count++] = strdup(name);
}

static void read_spec(const char *path, void *memory) {
  char word[512];
  FILE *spec = fopen(path, "r");
  if (spec == NULL) exit(2);
  while (fscanf(spec, "%511s", word) == 1 && in_count < MAX_VALUES && out_count < MAX_VALUES) {
    if (strcmp(word, "in") == 0) {
      read_input(spec, memory);
    } else if (fscanf(spec, "%511s", word) == 1) {
      out_names[out_count++] = strdup(word);
    }
  }
  fclose(spec);
}

static void *load(const char *model) {
  void *environment, *options, *session;
  check(((void *(*)(int, const char *, void **))api[CREATE_ENV])(3, "floor", &environment));
  check(((void *(*)(void **))api[CREATE_SESSION_OPTIONS])(&options));
  check(((void *(*)(void *, int))api[SET_INTRA_OP_THREADS])(options, 1));
  check(((void *(*)(void *, int))api[SET_INTER_OP_THREADS])(options, 1));
  check(((void *(*)(void *, const char *, void *, void **))api[CREATE_SESSION])(
      environment, model, options, &session));
  return session;
}

static void *session;
static run_function run;

static void call(long calls) {
  for (; calls > 0; calls--)
    check(run(session, NULL, in_names, in_values, in_count, out_names, out_count, out_values));
}

static int is_less(const void *one, const void *other) {
  float a = *(const float *)one, b = *(const float *)other;
  return (a > b) - (a < b);
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (library == NULL) return 2;
  api_base *(*base)(void) = (api_base * (*)(void)) dlsym(library, "OrtGetApiBase");
  api = base()->get_api(1);
  void *memory;
  check(((void *(*)(int, int, void **))api[CREATE_CPU_MEMORY_INFO])(0, 0, &memory));
  session = load(arguments[2]);
  read_spec(arguments[4], memory);
  run = (run_function)api[RUN];
  long warm_count = 0;
  double start_s = now_s(), until_s = start_s + WARM_UP_S;
  for (; warm_count < 2 || now_s() < until_s; warm_count++) call(1);
  double call_s = (now_s() - start_s) / warm_count;
  long calls = call_s < MIN_SAMPLE_S ? (long)(MIN_SAMPLE_S / call_s) + 1 : 1;
  float *samples_s = malloc(sizeof(float) * MAX_SAMPLES);
  size_t sample_count = 0;
  double before_s = now_s(), sum_s = 0;
  until_s = before_s + atof(arguments[3]);
  while (before_s < until_s && sample_count < MAX_SAMPLES) {
    call(calls);
    double after_s = now_s();
    samples_s[sample_count++] = (float)((after_s - before_s) / calls);
    sum_s += after_s - before_s;
    before_s = after_s;
  }
  qsort(samples_s, sample_count, sizeof(float), is_less);
  printf("{\"figure_s\": %.9g, \"mean_s\": %.9g, \"fastest_s\": %.9g, \"sample_count\": %zu}\n",
         samples_s[sample_count / 2], sum_s / sample_count / calls, samples_s[sample_count / 10],
         sample_count);
  return 0;
}
