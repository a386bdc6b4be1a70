export { RESET_CODES, encodeFrame, decodeFrame, type Frame } from './frame.ts'
export { FrameReader } from './frame-reader.ts'
export { RangePath, STREAM_PATH, type RangePathOptions } from './range-path.ts'
export { RangeStream, type RangeLimits, type RangeState } from './range-stream.ts'
