"""TFLite files: conversion from torch, and the metadata that MediaPipe reads."""
