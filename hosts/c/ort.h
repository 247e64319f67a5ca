// What legoc calls of onnxruntime. The wheel of Python has the library without its header; the order
// of these functions is part of onnxruntime's binary interface, which only ever grows at the end.
// `make check-header ORT_INCLUDE=...` compares this with the header of a release.

#include <stddef.h>
#include <stdint.h>

#define ORT_VERSION 18  // of the interface: onnxruntime 1.18 and every later one

typedef void (*OrtSkipped)(void);
typedef struct OrtFailure OrtFailure;  // NULL where all is well

enum { ORT_FLOAT = 1, ORT_UINT8 = 2, ORT_INT32 = 6, ORT_INT64 = 7, ORT_BOOL = 9 };

typedef struct Ort {
  OrtSkipped skip_0[2];
  const char *(*GetErrorMessage)(const OrtFailure *);
  OrtFailure *(*CreateEnv)(int severity, const char *name, void **env);
  OrtSkipped skip_4[4];
  OrtFailure *(*CreateSessionFromArray)(const void *env, const void *graph, size_t size,
                                        const void *options, void **session);
  OrtFailure *(*Run)(void *session, const void *options, const char *const *names,
                     const void *const *inputs, size_t count, const char *const *output_names,
                     size_t output_count, void **outputs);
  OrtFailure *(*CreateSessionOptions)(void **options);
  OrtSkipped skip_11[11];
  OrtFailure *(*SetSessionLogSeverityLevel)(void *options, int level);
  OrtFailure *(*SetSessionGraphOptimizationLevel)(void *options, int level);
  OrtFailure *(*SetIntraOpNumThreads)(void *options, int threads);
  OrtSkipped skip_25[24];
  OrtFailure *(*CreateTensorWithDataAsOrtValue)(const void *memory, void *data, size_t bytes,
                                                const int64_t *dims, size_t rank, int type,
                                                void **value);
  OrtSkipped skip_50[1];
  OrtFailure *(*GetTensorMutableData)(void *value, void **data);
  OrtSkipped skip_52[8];
  OrtFailure *(*GetTensorElementType)(const void *info, int *type);
  OrtFailure *(*GetDimensionsCount)(const void *info, size_t *rank);
  OrtFailure *(*GetDimensions)(const void *info, int64_t *dims, size_t rank);
  OrtSkipped skip_63[2];
  OrtFailure *(*GetTensorTypeAndShape)(const void *value, void **info);
  OrtSkipped skip_66[3];
  OrtFailure *(*CreateCpuMemoryInfo)(int allocator, int kind, void **memory);
  OrtSkipped skip_70[26];
  void (*ReleaseValue)(void *);
  OrtSkipped skip_97[2];
  void (*ReleaseTensorTypeAndShapeInfo)(void *);
  void (*ReleaseSessionOptions)(void *);
  OrtSkipped skip_101[29];
  OrtFailure *(*AddSessionConfigEntry)(void *options, const char *key, const char *value);
} Ort;

typedef struct OrtBase {
  const Ort *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtBase;
