/** Writing to the Kubernetes API: annotations of Nodes and Pods, and Events about them. */
export { type AnnotationWrite, AnnotationWriter } from './annotation-writer.ts';
export type { Happening } from './event-body.ts';
export { EventRecorder } from './event-recorder.ts';
