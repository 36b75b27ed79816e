/* Copyright 2026 edgetpu_retrain contributors
 * SPDX-License-Identifier: Apache-2.0
 */

/* A stand-in for libedgetpu.so.1 on machines without an Edge TPU, built by edgetpu_stand_in.py.
 *
 * It is a real external delegate: a runtime loads it, it runs every edgetpu-custom-op of a model,
 * and computes an embedding of its own: value i is the mean, rounded down, of the i-th of D equal
 * parts of the input's bytes.  Variables of the environment make it fail:
 *
 *   EDGETPU_STAND_IN=absent    no Edge TPU: creating the delegate fails without a reason
 *   EDGETPU_STAND_IN=idle      the library does not run the operators
 *   EDGETPU_STAND_IN=raise:N   the N-th invocation (from 1) of the process fails
 *   EDGETPU_STAND_IN=hang:N    it never returns
 *   EDGETPU_STAND_IN=spin:N    it computes for ever
 *   EDGETPU_STAND_IN=abort:N   it ends the process
 *   EDGETPU_STAND_IN=hang:white  an invocation on an all-white picture hangs; raise, spin and abort
 *                              as well
 *   EDGETPU_STAND_IN=raise     every invocation fails; hang, spin and abort as well
 *   EDGETPU_STAND_IN=usb:1=... any of these for the device usb:1 only, as given by the option
 *                              "device"; each device counts its own invocations
 *   EDGETPU_STAND_IN=@FILE     one of these is read from a file, again each time it matters
 *   EDGETPU_STAND_IN_LOG=FILE  the options of each delegate are appended, "key=value" a line
 *
 * The structures are laid out as in tensorflow/lite/core/c/common.h, as far as they are used;
 * that layout is the same in tflite-runtime 2.14 and ai-edge-litert 2.3. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status { OK = 0, ERROR = 1 };
enum { ALLOW_DYNAMIC_TENSORS = 1 };

struct int_array {
  int size;
  int data[];
};

struct tensor {
  int type;
  uint8_t *data;
  struct int_array *dims;
  struct { float scale; int32_t zero_point; } params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct { int type; void *params; } quantization;
  void *sparsity;
  const struct int_array *dims_signature;
};

struct node {
  struct int_array *inputs;
  struct int_array *outputs;
  struct int_array *intermediates;
  struct int_array *temporaries;
  void *user_data;
  /* More follows, of no use here. */
};

struct context;
struct delegate;

struct delegate_params {
  struct delegate *delegate;
  /* More follows, of no use here. */
};

struct registration {
  void *(*init)(struct context *, const char *, size_t);
  void (*free)(struct context *, void *);
  enum status (*prepare)(struct context *, struct node *);
  enum status (*invoke)(struct context *, struct node *);
  const char *(*profiling_string)(const struct context *, const struct node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *async_kernel;
  uint64_t inplace_operator;
};

struct context {
  size_t tensors_size;
  enum status (*get_execution_plan)(struct context *, struct int_array **);
  struct tensor *tensors;
  void *impl;
  enum status (*resize_tensor)(struct context *, struct tensor *, struct int_array *);
  void (*report_error)(struct context *, const char *, ...);
  enum status (*add_tensors)(struct context *, int, int *);
  enum status (*get_node_and_registration)(
    struct context *, int, struct node **, struct registration **);
  enum status (*replace_node_subsets)(
    struct context *, struct registration, const struct int_array *, struct delegate *);
  /* More follows, of no use here. */
};

struct delegate {
  void *data;
  enum status (*prepare)(struct context *, struct delegate *);
  void *copy_from_buffer_handle;
  void *copy_to_buffer_handle;
  void *free_buffer_handle;
  int64_t flags;
  void *opaque_delegate_builder;
};

enum { MOST_DEVICES = 4 };

struct device {
  char name[16];
  long invocations;
};

static struct device devices[MOST_DEVICES];

/* The device of that name, "" being the one that is taken when none is asked for. */
static struct device *find_device(const char *name)
{
  for (int i = 0; i < MOST_DEVICES; ++i) {
    if (strcmp(devices[i].name, name) == 0) {
      return &devices[i];
    }
    if (i > 0 && devices[i].name[0] == '\0') {
      snprintf(devices[i].name, sizeof(devices[i].name), "%s", name);
      return &devices[i];
    }
  }
  return NULL;
}

/* What of a behaviour is meant for a device. */
static const char *meant_for(const struct device *device, const char *told)
{
  const char *behind = strchr(told, '=');
  size_t length = strlen(device->name);

  if (behind == NULL) {
    return told;
  }
  bool is_meant = (size_t)(behind - told) == length && strncmp(told, device->name, length) == 0;
  return is_meant ? behind + 1 : "";
}

static const char *behaviour(const struct device *device)
{
  static _Thread_local char line[64];
  const char *told = getenv("EDGETPU_STAND_IN");

  if (told == NULL || told[0] != '@') {
    return told == NULL ? "" : meant_for(device, told);
  }
  line[0] = '\0';
  FILE *file = fopen(told + 1, "r");
  if (file != NULL) {
    if (fgets(line, sizeof(line), file) != NULL) {
      line[strcspn(line, "\n")] = '\0';
    }
    fclose(file);
  }
  return meant_for(device, line);
}

static bool is_white(const struct tensor *image)
{
  for (size_t i = 0; i < image->bytes; ++i) {
    if (image->data[i] != 255) {
      return false;
    }
  }
  return true;
}

/* Whether this very invocation is the one that is to go wrong in the way given. */
static bool is_due(
  const struct device *device, const char *fault, const struct tensor *image)
{
  const char *told = behaviour(device);
  size_t length = strlen(fault);

  if (strncmp(told, fault, length) != 0) {
    return false;
  }
  if (told[length] == '\0') {
    return true;
  }
  if (strcmp(told + length, ":white") == 0) {
    return is_white(image);
  }
  return told[length] == ':' && atol(told + length + 1) == device->invocations;
}

static enum status invoke(struct context *context, struct node *node)
{
  const struct tensor *image = &context->tensors[node->inputs->data[0]];
  const struct tensor *embedding = &context->tensors[node->outputs->data[0]];

  struct device *device = node->user_data;

  ++device->invocations;
  if (is_due(device, "raise", image)) {
    context->report_error(context, "The stand-in was told to fail.");
    return ERROR;
  }
  if (is_due(device, "hang", image)) {
    for (;;) {
      pause();
    }
  }
  if (is_due(device, "spin", image)) {
    for (;;) {
    }
  }
  if (is_due(device, "abort", image)) {
    abort();
  }
  for (size_t i = 0; i < embedding->bytes; ++i) {
    size_t begin = i * image->bytes / embedding->bytes;
    size_t end = (i + 1) * image->bytes / embedding->bytes;
    uint64_t sum = 0;
    for (size_t j = begin; j < end; ++j) {
      sum += image->data[j];
    }
    embedding->data[i] = end > begin ? (uint8_t)(sum / (end - begin)) : 0;
  }
  return OK;
}

static void *init(struct context *context, const char *params, size_t length)
{
  (void)context;
  (void)length;
  return ((const struct delegate_params *)(const void *)params)->delegate->data;
}

static enum status prepare_node(struct context *context, struct node *node)
{
  (void)context;
  return node->inputs->size >= 1 && node->outputs->size >= 1 ? OK : ERROR;
}

static enum status prepare(struct context *context, struct delegate *delegate)
{
  struct registration kernel = {
    .init = init,
    .prepare = prepare_node,
    .invoke = invoke,
    .custom_name = "EdgeTpuStandIn",
    .version = 1};
  struct int_array *plan;

  if (strcmp(behaviour(delegate->data), "idle") == 0) {
    return OK;
  }
  if (context->get_execution_plan(context, &plan) != OK) {
    return ERROR;
  }
  struct int_array *taken = calloc(1, sizeof(*taken) + (size_t)plan->size * sizeof(int));
  if (taken == NULL) {
    return ERROR;
  }
  for (int i = 0; i < plan->size; ++i) {
    struct node *node;
    struct registration *registration;
    if (context->get_node_and_registration(context, plan->data[i], &node, &registration) == OK &&
        registration->custom_name != NULL &&
        strcmp(registration->custom_name, "edgetpu-custom-op") == 0) {
      taken->data[taken->size++] = plan->data[i];
    }
  }
  enum status status = context->replace_node_subsets(context, kernel, taken, delegate);
  free(taken);
  return status;
}

static void log_options(char **keys, char **values, size_t count)
{
  const char *path = getenv("EDGETPU_STAND_IN_LOG");
  FILE *log = path == NULL ? NULL : fopen(path, "a");
  if (log == NULL) {
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    fprintf(log, "%s=%s\n", keys[i], values[i]);
  }
  fclose(log);
}

/* The two functions by which every external delegate is created and destroyed:
 * tensorflow/lite/delegates/external/external_delegate_interface.h */
struct delegate *tflite_plugin_create_delegate(
  char **keys, char **values, size_t count, void (*report_error)(const char *))
{
  const char *name = "";

  (void)report_error;
  for (size_t i = 0; i < count; ++i) {
    name = strcmp(keys[i], "device") == 0 ? values[i] : name;
  }
  struct device *device = find_device(name);
  if (device == NULL || strcmp(behaviour(device), "absent") == 0) {
    return NULL;
  }
  log_options(keys, values, count);
  struct delegate *delegate = calloc(1, sizeof(*delegate));
  if (delegate != NULL) {
    delegate->data = device;
    delegate->prepare = prepare;
    /* Without this the runtime prepares every operator first, and has none for the custom one. */
    delegate->flags = ALLOW_DYNAMIC_TENSORS;
  }
  return delegate;
}

void tflite_plugin_destroy_delegate(struct delegate *delegate)
{
  free(delegate);
}
